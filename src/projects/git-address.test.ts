import t from 'tap'
import {
  checkGitAddress,
  checkProjectName,
  checkRef,
  hideCredentials,
  isGitAddress,
  nameFromAddress,
} from './git-address.js'

t.test('addresses', (t) => {
  for (const good of [
    'https://github.com/a/b.git',
    'http://localhost:3000/a',
    'ssh://git@host:22/a.git',
    'git@host:group/plant.git',
    'file:///srv/plant.git',
  ]) {
    t.ok(isGitAddress(good), good)
    checkGitAddress(good)
  }
  for (const path of ['/srv/plant', './plant', 'plant', 'plant.zip', 'C:\\plant', 'C:/plant'])
    t.notOk(isGitAddress(path), path)
  for (const bad of [
    'ext::sh -c touch% /tmp/pwned',
    'ssh://-oProxyCommand=touch/x',
    'ssh://-oProxyCommand=x@host/a',
    '-oProxyCommand=x:y',
    '--upload-pack=touch x',
    'ftp://host/a',
    'data://x',
    'https://host/a b',
    'host:-x',
  ]) {
    t.throws(() => checkGitAddress(bad), { code: 'PROJECT_REFUSED' }, bad)
  }
  t.end()
})

t.test('refs', (t) => {
  for (const good of ['main', 'feature/x-1', 'v1.2.3', 'a1b2c3d', 'release_2']) checkRef(good)
  for (const bad of [
    '',
    '-f',
    '--upload-pack=x',
    'a..b',
    'a b',
    'a//b',
    'a/',
    'a.',
    'x.lock',
    'a@{1}',
    ':x',
    '^x',
    'a\nb',
    '+x',
  ]) {
    t.throws(() => checkRef(bad), { code: 'PROJECT_REFUSED' }, bad)
  }
  t.end()
})

t.test('names', (t) => {
  for (const good of ['plant', 'plant-2', 'a.b', '_x', '7']) checkProjectName(good)
  for (const bad of ['', '.', '..', '.git', '-x', 'a/b', 'a\\b', 'a b', 'a+', '#', 'ä', 'x.', 'a'.repeat(101)]) {
    t.throws(() => checkProjectName(bad), { code: 'PROJECT_REFUSED' }, bad)
  }
  t.equal(nameFromAddress('https://h/group/plant.git'), 'plant')
  t.equal(nameFromAddress('https://h/group/plant/?x=1'), 'plant')
  t.equal(nameFromAddress('git@h:plant.git'), 'plant')
  t.equal(nameFromAddress('/srv/My Plant.zip'), 'My-Plant')
  t.throws(() => nameFromAddress('https://h/..'), { code: 'PROJECT_REFUSED' })
  t.end()
})

t.test('no password or token is shown', (t) => {
  t.equal(hideCredentials('clone https://tok3n@h/a and http://u:p@h/b'), 'clone https://***@h/a and http://***@h/b')
  t.equal(hideCredentials('ssh://git@h/a ssh://git:secret@h/a'), 'ssh://git@h/a ssh://git:***@h/a')
  t.end()
})
