/** A list of facts, newest first, of which only parts are there: what came since it was opened, then what was there, page by page. Pure. */

export interface Placed {
  position: number
}

export interface Part<T> {
  items: readonly T[]
  /** Where it goes on; 0: nowhere. */
  next: number
}

/** Which facts to ask for: those before a position, so many. */
export interface Ask {
  page: number
  before: number
  limit: number
}

/** Without a filter every position is a fact, so that any place of the list is known by its number. With one, a part leads to the next. */
export class EventPages<T extends Placed> {
  readonly size: number
  /** Whether each position is a row. */
  readonly whole: boolean
  /** The newest position when the list was opened. */
  readonly anchor: number
  #fresh: T[] = []
  #pages = new Map<number, readonly T[]>()
  #found: T[] = []
  #next: number
  #asked = new Set<number>()

  constructor(anchor: number, whole: boolean, size = 100) {
    this.anchor = anchor
    this.whole = whole
    this.size = size
    this.#next = anchor + 1
  }

  /** How many rows there are; of a filtered list one more than is known, as long as it goes on. */
  get count(): number {
    return this.#fresh.length + (this.whole ? this.anchor : this.#found.length + (this.#next ? 1 : 0))
  }

  /** Whether everything was looked through. */
  get ended(): boolean {
    return this.whole || this.#next === 0
  }

  /** Whether nothing was found. */
  get empty(): boolean {
    return this.count === 0
  }

  row(index: number): T | undefined {
    if (index < this.#fresh.length) return this.#fresh[index]
    const place = index - this.#fresh.length
    if (!this.whole) return this.#found[place]
    return this.#pages.get(Math.floor(place / this.size))?.[place % this.size]
  }

  /** The fact at a position, where it is at hand. */
  at(position: number): T | undefined {
    const fresh = this.#fresh.find((one) => one.position === position) ?? this.#found.find((one) => one.position === position)
    if (fresh || !this.whole) return fresh
    const place = this.anchor - position
    return this.#pages.get(Math.floor(place / this.size))?.[place % this.size]
  }

  /** What has to be asked for so that these rows can be shown; nothing is told twice. */
  wanted(from: number, to: number): Ask[] {
    const asks: Ask[] = []
    const offset = this.#fresh.length
    if (!this.whole) {
      if (this.#next && to - offset >= this.#found.length && !this.#asked.has(this.#next)) asks.push({ page: this.#next, before: this.#next, limit: this.size })
    } else {
      const last = Math.min(to - offset, this.anchor)
      for (let page = Math.floor(Math.max(0, from - offset) / this.size); page * this.size < last; page += 1) {
        if (this.#pages.has(page) || this.#asked.has(page)) continue
        asks.push({ page, before: this.anchor - page * this.size + 1, limit: this.size })
      }
    }
    for (const one of asks) this.#asked.add(one.page)
    return asks
  }

  /** An answer, or that there is none. */
  take(ask: Ask, part: Part<T> | null): void {
    this.#asked.delete(ask.page)
    if (!part) return
    if (this.whole) {
      this.#pages.set(ask.page, part.items)
      this.#forget(ask.page)
    } else if (ask.before === this.#next) {
      this.#found.push(...part.items)
      this.#next = part.next
    }
  }

  /** Facts that came since, oldest first. */
  prepend(items: readonly T[]): void {
    const newest = this.newest
    this.#fresh.unshift(...items.filter((one) => one.position > newest).reverse())
  }

  /** The newest position that the list has. */
  get newest(): number {
    return this.#fresh[0]?.position ?? this.anchor
  }

  get freshCount(): number {
    return this.#fresh.length
  }

  /** Pages far from where somebody looks go, so that a million facts take the room of some thousands. */
  #forget(near: number): void {
    for (const page of this.#pages.keys()) if (Math.abs(page - near) > 20) this.#pages.delete(page)
  }
}
