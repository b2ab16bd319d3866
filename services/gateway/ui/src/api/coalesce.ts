/** How long what could not be shown yet is left alone, in ms. */
const BEHIND_MS = 1_000

const byTimer = (action: () => void, ms: number) => {
  const timer = setTimeout(action, ms)
  return () => clearTimeout(timer)
}

/** When to ask again: soon after the first touch, never while an answer is on its way, once more when something came meanwhile. */
export class Coalesced {
  /** The newest position whose touch was heard of: the answer is to show it. */
  heard = 0
  #cancel: (() => void) | null = null
  #running = false
  #again = false
  #over = false
  readonly #ask: () => Promise<void>
  readonly #later: (action: () => void, ms: number) => () => void
  readonly #ms: number

  constructor(ask: () => Promise<void>, ms = 150, later: (action: () => void, ms: number) => () => void = byTimer) {
    this.#ask = ask
    this.#later = later
    this.#ms = ms
  }

  touch(position = 0): void {
    this.heard = Math.max(this.heard, position)
    if (this.#over || this.#cancel) return
    if (this.#running) {
      this.#again = true
      return
    }
    this.#cancel = this.#later(() => void this.#run(), this.#ms)
  }

  /** What was heard of can not be read yet: ask again in a while. To be called while asking. */
  behind(): void {
    if (!this.#over) this.#cancel ??= this.#later(() => void this.#run(), BEHIND_MS)
  }

  /** Ask at once. */
  async now(position = 0): Promise<void> {
    this.heard = Math.max(this.heard, position)
    this.#cancel?.()
    await this.#run()
  }

  stop(): void {
    this.#over = true
    this.#cancel?.()
    this.#cancel = null
  }

  async #run(): Promise<void> {
    this.#cancel = null
    if (this.#over) return
    if (this.#running) {
      this.#again = true
      return
    }
    this.#running = true
    try {
      await this.#ask()
    } finally {
      this.#running = false
      if (this.#again) {
        this.#again = false
        this.touch()
      }
    }
  }
}
