/**
 * The Python side of the sandbox, as text: loads scripts, calls their functions, and keeps from them what they do not
 * need. This is the inner fence, which gives clear errors and keeps scripts apart; what holds against somebody who climbs
 * over it is the process around it (lockdown.ts, sandbox-flags.ts).
 *
 * An answer is text: `+` or `-` (result or failure), the number of characters printed, a line break, what was printed, and
 * then the result or the reason.
 */
import { PACKAGES_SOURCE } from './packages-source.js'

export const GUARD_SOURCE = String.raw`
import ast, builtins, contextvars, difflib, importlib, json, random, sys, time, types
import datetime as _datetime, decimal as _decimal, fractions as _fractions

PRINTED_MAX = 16384
RESULT_MAX = 16 * 1024 * 1024
REASON_MAX = 2000
_real_import = builtins.__import__
_real_getattr, _real_setattr, _real_delattr, _real_hasattr = getattr, setattr, delattr, hasattr

class _Settings:
    allowed = frozenset()
    extra = frozenset()
    withheld_names = frozenset()
    withheld_builtins = ()
    withheld_attributes = frozenset()
    reserved = frozenset()
    call_ms = 0

class _Script:
    """modules: of packages, by name: each script has its own, as it has its own variables.
    facades: of the standard library, by name: what it changes there is not for others either.
    missed: first parts of the names that it wanted to import and that were not there.
    context: of what the standard library keeps for a thread, such as the precision of decimal."""
    __slots__ = ('name', 'space', 'functions', 'modules', 'facades', 'missed', 'context', 'package_builtins')

class _Refused(Exception):
    pass

_scripts = {}
_failed = {}
_facades = {}
_package_facades = {}
_printed = []
_printed_length = 0

def configure(text):
    given = json.loads(text)
    _Settings.allowed = frozenset(given['allowed'])
    _Settings.withheld_names = frozenset(given['withheldNames'])
    _Settings.withheld_builtins = tuple(given['withheldBuiltins'])
    _Settings.withheld_attributes = frozenset(given['withheldAttributes'])
    _Settings.reserved = frozenset(given['reserved']) | sys.stdlib_module_names
    # scripts get another json: what they change in its classes would be in what the guard answers
    for name in [name for name in sys.modules if name.partition('.')[0] == 'json']:
        del sys.modules[name]
    for name in given['allowed']:
        _facade(name)
    for name, listed in given['packageModules'].items():
        _make_package_facade(name, listed)
    _facade('time').__dict__['sleep'] = _sleep

def begin(text):
    given = json.loads(text)
    _Settings.extra = frozenset(given['extra'])
    _Settings.call_ms = given['callMs']
    # the memory snapshot holds the state of the time when it was made
    random.seed()

# ---------- modules ----------

def _facade(name):
    """The public names of a module, without the modules that it has imported itself."""
    made = _facades.get(name)
    if made is None:
        real = importlib.import_module(name)
        made = types.ModuleType(name, real.__doc__)
        listed = _real_getattr(real, '__all__', ())
        for key, value in vars(real).items():
            if isinstance(value, types.ModuleType) or f'{name}.{key}' in _Settings.withheld_names:
                continue
            if key.startswith('_') and key not in listed:
                continue
            made.__dict__[key] = value
        _facades[name] = made
    return made

def _own(script, facade):
    """A script's copy of a facade, with copies of the modules in it."""
    made = script.facades.get(facade.__name__)
    if made is None:
        made = script.facades[facade.__name__] = types.ModuleType(facade.__name__, facade.__doc__)
        for key, value in vars(facade).items():
            made.__dict__[key] = _own(script, value) if isinstance(value, types.ModuleType) else value
        if facade is _facades['random']:
            dice = random.Random()
            for key, value in vars(facade).items():
                if _real_getattr(value, '__self__', None) is random._inst:
                    made.__dict__[key] = _real_getattr(dice, key)
    return made

def _make_package_facade(name, listed):
    """Of a module that packages alone get: the listed names, and empty modules around it."""
    made = _package_facades.setdefault(name, types.ModuleType(name))
    real = importlib.import_module(name)
    for key in listed:
        made.__dict__[key] = _real_getattr(real, key)
    outer, _, leaf = name.rpartition('.')
    if outer:
        _package_facades.setdefault(outer, types.ModuleType(outer)).__dict__[leaf] = made

def _not_allowed(name):
    if name in _Settings.reserved:
        return ImportError(f"Module '{name}' is not allowed", name=name)
    return ImportError(f"Module '{name}' is not allowed: no package that is installed has it", name=name)

def _submodule(name):
    try:
        return importlib.import_module(name)
    except ImportError:
        return None

def _importer(script, of_package):
    """What stands for __import__ in the modules of packages, or in the script."""
    def imports(name, globals=None, locals=None, fromlist=(), level=0):
        if level:
            if not of_package:
                raise ImportError('a script has no package to import from')
            name = _absolute(name, globals, level)
        root = name.partition('.')[0]
        if root in _roots:
            return _import_installed(script, name, fromlist)
        if of_package and name in _package_facades and root not in _Settings.extra:
            return _own(script, _package_facades[name if fromlist else root])
        if root not in _Settings.reserved:
            script.missed.add(root)
        return _import_standard(script, name, fromlist)
    imports.__name__ = '__import__'
    return imports

def _import_standard(script, name, fromlist):
    root = name.partition('.')[0]
    if root in _Settings.extra or name in _Settings.extra:
        return _real_import(name, None, None, fromlist, 0)
    if root not in _Settings.allowed:
        raise _not_allowed(root)
    top = _own(script, _facade(root))
    leaf, path = top, root
    for part in name.split('.')[1:]:
        path = f'{path}.{part}'
        inner = _own(script, _facade(path))
        leaf.__dict__.setdefault(part, inner)
        leaf = inner
    for item in fromlist or ():
        if item != '*' and item not in leaf.__dict__ and _submodule(f'{path}.{item}') is not None:
            leaf.__dict__[item] = _own(script, _facade(f'{path}.{item}'))
    return leaf if fromlist else top

# ---------- what scripts get instead of some builtins ----------

def _checked(name):
    if not isinstance(name, str):
        return name
    # of a class of the script, str(name) would be what that makes of it
    name = str.__str__(name)
    if name in _Settings.withheld_attributes:
        raise _Refused(f"Attribute '{name}' is not allowed")
    return name

def _guarded_getattr(value, name, *default):
    return _real_getattr(value, _checked(name), *default)

def _guarded_setattr(value, name, item):
    _real_setattr(value, _checked(name), item)

def _guarded_delattr(value, name):
    _real_delattr(value, _checked(name))

def _guarded_hasattr(value, name):
    return _real_hasattr(value, _checked(name))

def _guarded_vars(*values):
    if len(values) != 1 or isinstance(values[0], (type, types.ModuleType, types.FunctionType)):
        raise _Refused("'vars' is only allowed for objects")
    return dict(vars(values[0]))

def _print(*values, sep=' ', end='\n', file=None, flush=False):
    global _printed_length
    # not by methods of sep and end, which may be of a class of the script
    line = str.join(' ' if sep is None else sep, [str(value) for value in values])
    text = str.join('', (line, '\n' if end is None else end))
    room = PRINTED_MAX - _printed_length
    if room > 0:
        _printed.append(text[:room])
        _printed_length += min(len(text), room)

def _sleep(seconds):
    """In slices: the time limit takes hold between them."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        time.sleep(min(left, 0.01))

def _withheld(name):
    def refused(*_arguments, **_named):
        raise _Refused(f"'{name}' is not allowed")
    refused.__name__ = name
    return refused

def _builtins_with(importer):
    space = {name: value for name, value in vars(builtins).items() if not name.startswith('_')}
    for name in ('copyright', 'credits', 'license'):
        space.pop(name, None)
    for name in _Settings.withheld_builtins:
        space[name] = _withheld(name)
    space.update(
        __import__=importer, __build_class__=builtins.__build_class__, print=_print,
        getattr=_guarded_getattr, setattr=_guarded_setattr, delattr=_guarded_delattr, hasattr=_guarded_hasattr,
        vars=_guarded_vars)
    return space

${PACKAGES_SOURCE}
# ---------- scripts ----------

def _check_names(tree):
    """Refuses what would lead out of the script, where it can be seen in the text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            names = (node.attr,)
        elif isinstance(node, ast.Name):
            names = (node.id,) if node.id in ('__builtins__', '__loader__', '__spec__') else ()
        elif isinstance(node, ast.MatchClass):
            names = node.kwd_attrs
        else:
            continue
        for name in names:
            if name in _Settings.withheld_attributes:
                raise SyntaxError(f"Attribute '{name}' is not allowed", ('', node.lineno, node.col_offset + 1, None))

def _file(name):
    return f'<script {name}>'

def _parse(name, source):
    tree = ast.parse(source, _file(name))
    _check_names(tree)
    return tree

def _functions(tree):
    return [node.name for node in tree.body if isinstance(node, ast.FunctionDef) and not node.name.startswith('_')]

def add(name, source, kept):
    """The answer is JSON: functions, or error with line and column (0 where there is none).
    kept: if it is refused, the one of before does not go on, and calls are told why. Otherwise empty."""
    def work():
        try:
            tree = _parse(name, source)
        except SyntaxError as error:
            return refusal(f'{error.msg}', error.lineno or 0, error.offset or 0)
        except (ValueError, RecursionError, MemoryError) as error:
            return refusal(f'{type(error).__name__}: {error}', 0, 0)
        script = _Script()
        script.name = name
        script.functions = _functions(tree)
        script.modules = {}
        script.facades = {}
        script.missed = set()
        script.context = contextvars.Context()
        script.package_builtins = _builtins_with(_importer(script, True))
        script.space = {'__name__': name, '__builtins__': _builtins_with(_importer(script, False))}
        # dataclasses looks up where a class comes from; more than the name is not to be found there
        sys.modules.setdefault(name, types.ModuleType(name))
        try:
            script.context.run(exec, compile(tree, _file(name), 'exec'), script.space)
        except BaseException as error:
            return refusal(_reason(error), _line_of(error, name), 0)
        _scripts[name] = script
        _failed.pop(name, None)
        return json.dumps({'functions': script.functions})
    def refusal(message, line, column):
        if kept:
            _scripts.pop(name, None)
            _failed[name] = message
        return _refusal(message, line, column)
    return _answer('+', work())

def _refusal(message, line, column):
    return json.dumps({'error': message, 'line': line, 'column': column})

def remove(name):
    _scripts.pop(name, None)
    _failed.pop(name, None)
    return _answer('+', '')

def call(target, arguments):
    name, _, function = target.partition('.')
    script = _scripts.get(name)
    if script is None and name in _failed:
        return _answer('-', f"Python script '{name}' cannot be loaded: {_failed[name]}")
    if script is None:
        return _answer('-', f"Python script '{name}' is not deployed")
    found = script.space.get(function)
    if not callable(found):
        return _answer('-', _no_function(script, function))
    try:
        return _answer('+', _text_of(script.context.run(found, *json.loads(arguments))))
    except BaseException as error:
        reason = _reason(error)
        line = _line_of(error, name)
        return _answer('-', f'{reason} ({target}, line {line})' if line else f'{reason} ({target})')

def _no_function(script, function):
    near = difflib.get_close_matches(function, script.functions, 1)
    hint = f"; did you mean '{near[0]}'?" if near else ''
    return f"Python script '{script.name}' has no function '{function}'{hint}"

def _text_of(value):
    if isinstance(value, str):
        text = str.__str__(str(value))
    elif value is None:
        return 'null'
    else:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(',', ':'), default=_as_json)
    if len(text) > RESULT_MAX:
        raise _Refused(f'a result of {len(text)} characters is too long; at most {RESULT_MAX}')
    return text

def _as_json(value):
    if isinstance(value, (set, frozenset, tuple)):
        return list(value)
    if isinstance(value, (_datetime.datetime, _datetime.date, _datetime.time)):
        return value.isoformat()
    if isinstance(value, (_decimal.Decimal, _fractions.Fraction)):
        return float(value)
    raise _Refused(f"a result of type '{type(value).__name__}' cannot be returned; "
                   'return text, a number, a boolean, a list, a dict or None')

def _answer(mark, text):
    global _printed_length
    if not _printed:
        return f'{mark}0\n{text}'
    printed = ''.join(_printed)
    _printed.clear()
    _printed_length = 0
    return f'{mark}{len(printed.encode("utf-16-le", "surrogatepass")) // 2}\n{printed}{text}'

def _reason(error):
    try:
        text = str.__str__(_whole_reason(error))
    except BaseException:
        return 'an exception that has no text'
    return text if len(text) <= REASON_MAX else f'{text[:REASON_MAX]}…'

def _whole_reason(error):
    if isinstance(error, KeyboardInterrupt):
        return f'Time limit of {_Settings.call_ms} ms exceeded'
    if isinstance(error, MemoryError):
        return 'MemoryError: the memory limit of Python is reached'
    text = str(error)
    if isinstance(error, _Refused) or isinstance(error, ImportError) and 'is not allowed' in text:
        return text
    return f'{type(error).__name__}: {text}' if text else type(error).__name__

_traceback_of = vars(BaseException)['__traceback__'].__get__

def _line_of(error, name):
    """The last line of the script itself that was on the way to the failure; 0 if there is none."""
    # the real one: a class of the script may have another
    line, step, file = 0, _traceback_of(error), _file(name)
    while step is not None:
        if step.tb_frame.f_code.co_filename == file:
            line = step.tb_lineno
        step = step.tb_next
    return line or 0
`
