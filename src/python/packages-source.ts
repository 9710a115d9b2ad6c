/**
 * A part of the guard (guard-source.ts), as text: packages that are installed. Their modules are kept as text in memory and
 * not as files, so that Python's own import finds none of them: they run with the builtins that scripts have, and import
 * what scripts may, what other packages have, and the few names of PACKAGE_MODULES.
 */
export const PACKAGES_SOURCE = `
# ---------- packages ----------

class _Module:
    __slots__ = ('package', 'file', 'is_package', 'text', 'code')

    def __init__(self, package, file, is_package, text):
        self.package, self.file, self.is_package, self.text, self.code = package, file, is_package, text, None

_installed = {}
_roots = set()

def install(text):
    """text: JSON with the name of the package and the texts of its modules by their paths, in place of what it was.
    The answer is JSON: the scripts that are to be loaded again."""
    given = json.loads(text)
    modules = _modules_of(given['name'], given['files'])
    roots = {name.partition('.')[0] for name in modules}
    for root in sorted(roots):
        if root in _Settings.reserved or root in _Settings.extra:
            return _answer('-', f"its module '{root}' would stand in for one of Python's own")
        for name, module in _installed.items():
            if name.partition('.')[0] == root and module.package != given['name']:
                return _answer('-', f"package '{module.package}', which is installed, has a module '{root}', too: "
                               'only one of the two can be there')
    touched = _forget(given['name']) | roots
    _installed.update(modules)
    _roots.update(roots)
    for name in modules:
        # for dataclasses, as in add()
        sys.modules.setdefault(name, types.ModuleType(name))
    return _answer('+', json.dumps(_users_of(touched)))

def uninstall(name):
    return _answer('+', json.dumps(_users_of(_forget(name))))

def _modules_of(package, files):
    modules = {}
    for path, text in files.items():
        parts = path[:-len('.py')].split('/')
        is_package = parts[-1] == '__init__'
        name = '.'.join(parts[:-1] if is_package else parts)
        # as in Python, a folder comes before a file of its name
        if name and (is_package or name not in modules):
            modules[name] = _Module(package, path, is_package, text)
    for name in list(modules):
        outer = name.rpartition('.')[0]
        while outer:
            modules.setdefault(outer, _Module(package, outer.replace('.', '/'), True, ''))
            outer = outer.rpartition('.')[0]
    return modules

def _forget(package):
    gone = [name for name, module in _installed.items() if module.package == package]
    for name in gone:
        del _installed[name]
        if name not in _scripts:
            sys.modules.pop(name, None)
    roots = {name.partition('.')[0] for name in gone}
    _roots.difference_update(roots)
    return roots

def _users_of(roots):
    """Scripts that have imported from there, or wanted to; and those that failed, which may have wanted to."""
    using = [name for name, script in _scripts.items()
             if not roots.isdisjoint(script.missed) or any(module.partition('.')[0] in roots for module in script.modules)]
    return using + [name for name in _failed if name not in using]

def _absolute(name, space, level):
    package = (space or {}).get('__package__') or ''
    parts = package.split('.')
    if not package or level > len(parts):
        raise ImportError('attempted relative import beyond top-level package')
    base = '.'.join(parts[:len(parts) - level + 1])
    return f'{base}.{name}' if name else base

def _import_installed(script, name, fromlist):
    module = _installed_module(script, name)
    if not fromlist:
        return script.modules[name.partition('.')[0]]
    items = list(fromlist)
    if '*' in items:
        items += [item for item in _real_getattr(module, '__all__', ()) if isinstance(item, str)]
    for item in items:
        if item not in module.__dict__ and f'{name}.{item}' in _installed:
            _installed_module(script, f'{name}.{item}')
    return module

def _installed_module(script, name):
    outer_name, _, leaf = name.rpartition('.')
    outer = _installed_module(script, outer_name) if outer_name else None
    made = script.modules.get(name)
    if made is not None:
        return made
    found = _installed.get(name)
    if found is None:
        raise ModuleNotFoundError(f"No module named '{name}'", name=name)
    made = types.ModuleType(name)
    made.__dict__.update(
        __builtins__=script.package_builtins, __file__=found.file, __package__=name if found.is_package else outer_name)
    if found.is_package:
        made.__dict__['__path__'] = []
    script.modules[name] = made
    # before it is complete: modules that import each other find it
    if outer is not None:
        outer.__dict__.setdefault(leaf, made)
    try:
        exec(_code_of(found), made.__dict__)
    except BaseException:
        script.modules.pop(name, None)
        if outer is not None and outer.__dict__.get(leaf) is made:
            del outer.__dict__[leaf]
        raise
    if outer is not None:
        outer.__dict__[leaf] = made
    return made

class _Later(ast.NodeTransformer):
    """What would lead out of a package fails where it is reached: the rest of the package can be used."""
    def visit_Attribute(self, node):
        self.generic_visit(node)
        if node.attr not in _Settings.withheld_attributes or not isinstance(node.ctx, ast.Load):
            return node
        call = ast.Call(ast.Name('getattr', ast.Load()), [node.value, ast.Constant(node.attr)], [])
        return ast.fix_missing_locations(ast.copy_location(call, node))

def _code_of(module):
    if module.code is None:
        try:
            tree = _Later().visit(ast.parse(module.text, module.file))
            _check_names(tree)
            module.code = compile(tree, f'<package {module.package}>/{module.file}', 'exec')
        except (SyntaxError, ValueError, RecursionError) as error:
            reason = error.msg if isinstance(error, SyntaxError) else f'{type(error).__name__}: {error}'
            line = f', line {error.lineno}' if isinstance(error, SyntaxError) and error.lineno else ''
            raise ImportError(f"Python package '{module.package}' cannot be used: {reason} ({module.file}{line})") from None
        module.text = ''
    return module.code
`
