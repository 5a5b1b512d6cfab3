import type { Attachment } from "../domain/coupling.js"
import type { ProcessKey } from "../domain/identity.js"
import { KeyedSets } from "../domain/keyed-sets.js"
import { Portions } from "../domain/portions.js"
import type { AccountOf } from "./coupling-table.js"
import type { TrackerLimits } from "./limits.js"

/** What processes hold besides sockets, while they hold it. When it is too much, the account that has most loses some. */
export class AttachmentTable {
  readonly #limits: TrackerLimits
  readonly #accountOf: AccountOf
  readonly #attachments = new Map<string, { readonly attachment: Attachment; readonly account: string }>()
  readonly #byProcess = new KeyedSets<ProcessKey, string>()
  readonly #portions = new Portions<string>()
  #evicted = 0

  constructor(limits: TrackerLimits, accountOf: AccountOf) {
    this.#limits = limits
    this.#accountOf = accountOf
  }

  get size(): number {
    return this.#attachments.size
  }

  get evicted(): number {
    return this.#evicted
  }

  *ofProcess(process: ProcessKey): Generator<Attachment> {
    for (const id of this.#byProcess.values(process)) {
      const entry = this.#attachments.get(id)
      if (entry !== undefined) yield entry.attachment
    }
  }

  /** What was known before; false when the attachment is older than that, and nothing changed. */
  put(attachment: Attachment): { readonly previous: Attachment | undefined } | false {
    const id = attachmentId(attachment)
    const known = this.#attachments.get(id)
    const previous = known?.attachment
    if (previous !== undefined && previous.observedUs > attachment.observedUs) return false
    if (attachment.gone) {
      this.#delete(id)
      return { previous }
    }
    if (known === undefined && this.#attachments.size >= this.#limits.attachments) this.#evictOne()
    const account = known?.account ?? this.#accountOf(attachment.process)
    this.#attachments.set(id, { attachment, account })
    if (known !== undefined) return { previous }
    this.#portions.add(account, id)
    this.#byProcess.add(attachment.process, id)
    if (attachment.child !== undefined) this.#byProcess.add(attachment.child, id)
    return { previous }
  }

  clear(): void {
    for (const id of this.#attachments.keys()) this.#delete(id)
  }

  #evictOne(): void {
    for (const id of this.#portions.keys(this.#portions.largest() ?? "")) {
      this.#delete(id)
      this.#evicted += 1
      return
    }
  }

  #delete(id: string): void {
    const entry = this.#attachments.get(id)
    if (entry === undefined) return
    const { process, child } = entry.attachment
    this.#attachments.delete(id)
    this.#portions.delete(entry.account, id)
    this.#byProcess.delete(process, id)
    if (child !== undefined) this.#byProcess.delete(child, id)
  }
}

function attachmentId({ kind, process, child, cookie }: Attachment): string {
  return [kind, process, child ?? "", cookie].join(" ")
}
