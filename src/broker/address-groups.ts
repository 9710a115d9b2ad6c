/** Addresses as limits take them (`addressGroup`), remembered: for an IPv6 address that takes longer than a message. */
import { addressGroup } from '../base/address.js'
import type { Identity } from '../contracts/security.js'
import { ROOT } from '../security/user-name.js'

const REMEMBERED_MAX = 4_096

export class AddressGroups {
  readonly #groups = new Map<string, string>()

  /**
   * @returns undefined for an empty address, where it is not known from where the client has come, and for `root`: nobody
   *   on its machine shall keep it from its commands
   */
  of({ userName, address }: Pick<Identity, 'userName' | 'address'>): string | undefined {
    if (address === '' || userName === ROOT) return undefined
    let group = this.#groups.get(address)
    if (group === undefined) {
      if (this.#groups.size >= REMEMBERED_MAX) this.#groups.clear()
      group = addressGroup(address)
      this.#groups.set(address, group)
    }
    return group
  }
}
