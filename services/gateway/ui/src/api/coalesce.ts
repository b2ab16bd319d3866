/** When to ask again: soon after the first touch, never while an answer is on its way, once more when something came meanwhile. Pure. */
export class Coalesced {
  #cancel: (() => void) | null = null
  #running = false
  #again = false
  #over = false
  readonly #ask: () => Promise<void>
  readonly #later: (action: () => void, ms: number) => () => void
  readonly #ms: number

  constructor(ask: () => Promise<void>, later: (action: () => void, ms: number) => () => void, ms = 150) {
    this.#ask = ask
    this.#later = later
    this.#ms = ms
  }

  touch(): void {
    if (this.#over || this.#cancel) return
    if (this.#running) {
      this.#again = true
      return
    }
    this.#cancel = this.#later(() => void this.#run(), this.#ms)
  }

  /** Ask at once. */
  async now(): Promise<void> {
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
