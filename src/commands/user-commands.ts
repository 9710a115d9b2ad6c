/** Commands of users and their groups. Passwords appear in no answer and no log. */
import { counted } from '../base/counted.js'
import { nearestSpelling } from '../base/spelling.js'
import type { Identity } from '../contracts/security.js'
import { passwordProblem } from '../security/passwords.js'
import { ROOT, userNameProblem } from '../security/user-name.js'
import type { Command, CommandServices, PreparedCommand } from './command.js'
import { wordsOf } from './command-line.js'
import { failure, type Reply, success } from './envelope.js'
import type { Draft, Library } from './library.js'
import { newPassword } from './new-password.js'
import { newUser, type Password, PERMISSION_FLAGS, type User, userView } from './users.js'

type Step = (draft: Draft) => Reply

const PROPERTY_NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/
const VALUE_BYTES_MAX = 1_024
/** Of one user; each is sent to all threads. */
const GROUPS_MAX = 1_000
const PROPERTIES_MAX = 1_000
const USERS_MAX = 100_000
/** More are not searched for the name that was meant: it takes time that others wait. */
const COMPARED_MAX = 1_000
const QUOTES_REMEDY = 'what holds blanks is put in quotes'

export const USER_COMMANDS: readonly Command[] = [
  passwordCommand('AddUser', 'UserManagementCreation', (name, password, { clock }) => (draft) => {
    if (draft.users.has(name)) return failure(`A user with the name '${name}' already exists`, entity(name))
    if (draft.library.users.size >= USERS_MAX) return failure(`There are ${USERS_MAX} users already`)
    draft.users.set(name, newUser(name, password, clock.now()))
    return success(`User ${name} added successfully!`, entity(name))
  }),
  passwordCommand('ChangeUserPassword', 'UserManagementPasswordChange', (name, password) => (draft) => {
    return changed(draft, name, `Password for user ${name} changed successfully!`, (user) => ({ ...user, ...password }))
  }),
  {
    name: 'RemoveUser',
    scope: 'UserManagementRemove',
    change(draft, { rest }) {
      const words = wordsOf(rest)
      const name = words.at(0)
      if (name === undefined) return failure('The name of the user is missing')
      if (words.length > 1) return failure(`Too many words: ${QUOTES_REMEDY}`)
      if (name === ROOT) return failure(`The user ${ROOT} cannot be removed`, entity(ROOT))
      if (!draft.users.has(name)) return notFound(name, draft.library)
      draft.users.delete(name)
      return success(`User ${name} removed successfully!`, entity(name))
    },
  },
  {
    name: 'ChangeUserSettings',
    scope: 'UserManagementUpdate',
    change(draft, { rest }, _services, sender) {
      const [name, written, value, ...more] = wordsOf(rest)
      if (value === undefined) return failure('Expected the name of a user, of a setting, and its value')
      if (more.length > 0) return failure(`Too many words: ${QUOTES_REMEDY}`)
      return rootsOwn(name, sender) ?? setProperty(draft, name, written, value)
    },
  },
  {
    name: 'AddUserToGroup',
    scope: 'UserManagementUpdate',
    change: (draft, { rest }, _services, sender) =>
      changeGroup(draft, wordsOf(rest), sender, `added to group`, addedTo),
  },
  {
    name: 'RemoveUserFromGroup',
    scope: 'UserManagementUpdate',
    change: (draft, { rest }, _services, sender) =>
      changeGroup(draft, wordsOf(rest), sender, `removed from group`, removedFrom),
  },
  {
    name: 'ListUserGroups',
    scope: 'UserManagementUpdate',
    answer({ rest }, { library }) {
      const name = wordsOf(rest).at(0)
      if (name === undefined) return failure('The name of the user is missing')
      const user = library.users.get(name)
      if (user === undefined) return notFound(name, library)
      return success(`User ${name} is in ${counted(user.groups.length, 'group')}.`, { data: { groups: user.groups } })
    },
  },
  {
    name: 'ListUsers',
    scope: 'UserManagementUpdate',
    answer(_line, { library }) {
      const data = [...library.users.values()].map(userView)
      return success(`${counted(data.length, 'user')}.`, { data })
    },
  },
]

/** The password is hashed before the change is made, so that others do not wait for it. */
function passwordCommand(
  name: string,
  scope: Command['scope'],
  step: (user: string, password: Password, services: CommandServices) => Step,
): PreparedCommand {
  return {
    name,
    scope,
    async prepare({ rest }, services, sender) {
      const [user, password, ...more] = wordsOf(rest)
      const { authentication } = services.config
      if (user === undefined || password === undefined) return failure('Expected the name of a user and a password')
      if (more.length > 0) return failure(`Too many words: ${QUOTES_REMEDY}`)
      const problem = userNameProblem(user)
      if (problem !== undefined) return failure(`The name of the user ${problem}`)
      const refusal = rootsOwn(user, sender)
      if (refusal !== undefined) return refusal
      const wrong = passwordProblem(password, authentication.passwordBytesMin)
      if (wrong !== undefined) return failure(wrong, entity(user))
      return step(user, await newPassword(password, authentication), services)
    },
  }
}

/** Who may manage users could otherwise become root by giving it another password. */
function rootsOwn(name: string, sender: Identity | undefined): Reply | undefined {
  if (name !== ROOT || sender === undefined || sender.userName === ROOT) return undefined
  return failure(`Only ${ROOT} can change the user ${ROOT}`, entity(ROOT))
}

function setProperty(draft: Draft, name: string, written: string, value: string): Reply {
  const setting = PERMISSION_FLAGS.find((flag) => flag.toLowerCase() === written.toLowerCase()) ?? written
  if (!PROPERTY_NAME.test(setting)) {
    return failure('The name of a setting begins with a letter, and goes on with letters, digits, _, - and .')
  }
  if (Buffer.byteLength(value) > VALUE_BYTES_MAX) return failure(`A value may have at most ${VALUE_BYTES_MAX} bytes`)
  return changed(draft, name, `Setting ${setting} of user ${name} changed successfully!`, (user) => {
    const { properties } = user
    if (!Object.hasOwn(properties, setting) && Object.keys(properties).length >= PROPERTIES_MAX) {
      return `User ${name} has ${PROPERTIES_MAX} settings already`
    }
    return { ...user, properties: { ...properties, [setting]: value } }
  })
}

function changeGroup(
  draft: Draft,
  [name, group, ...more]: readonly string[],
  sender: Identity | undefined,
  what: string,
  change: (user: User, group: string) => User | string,
): Reply {
  if (name === undefined || group === undefined) return failure('Expected the name of a user and of a group')
  if (more.length > 0) return failure(`Too many words: ${QUOTES_REMEDY}`)
  const problem = userNameProblem(group)
  if (problem !== undefined) return failure(`The name of the group ${problem}`)
  return (
    rootsOwn(name, sender) ??
    changed(draft, name, `User ${name} ${what} ${group} successfully!`, (user) => change(user, group))
  )
}

function addedTo(user: User, group: string): User | string {
  if (user.groups.includes(group)) return `User ${user.name} is in group ${group} already`
  if (user.groups.length >= GROUPS_MAX) return `User ${user.name} is in ${GROUPS_MAX} groups already`
  return { ...user, groups: [...user.groups, group] }
}

function removedFrom(user: User, group: string): User | string {
  if (!user.groups.includes(group)) return `User ${user.name} is not in group ${group}`
  return { ...user, groups: user.groups.filter((one) => one !== group) }
}

/** @param change says why not, as text */
function changed(draft: Draft, name: string, message: string, change: (user: User) => User | string): Reply {
  const user = draft.users.get(name)
  if (user === undefined) return notFound(name, draft.library)
  const next = change(user)
  if (typeof next === 'string') return failure(next, entity(name))
  draft.users.set(name, next)
  return success(message, entity(name))
}

function notFound(name: string, { users }: Pick<Library, 'users'>): Reply {
  const near = users.size > COMPARED_MAX ? undefined : nearestSpelling(name, users.keys())
  const more = near === undefined ? '' : ` Did you mean '${near}'?`
  return failure(`User '${name}' not found.${more}`, entity(name))
}

function entity(name: string): Pick<Reply, 'entity'> {
  return { entity: { type: 'User', name } }
}
