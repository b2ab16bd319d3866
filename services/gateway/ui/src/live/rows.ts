/** Rows of a topic, a signal each: a patch of one row renders one cell, never the list. */
import { type Signal, batch, signal } from '@preact/signals'

export class Rows<T> {
  readonly #rows = new Map<string, Signal<T | undefined>>()
  /** The keys in the order in which they came; it changes only when a row comes or goes. */
  readonly keys = signal<readonly string[]>([])
  /** Up to where in the log the rows are; -1: there are none yet. */
  position = -1

  /** The row of a key, whose value is undefined once it is gone. Who is told that there is none looks again when rows come. */
  get(key: string): Signal<T | undefined> | undefined {
    const row = this.#rows.get(key)
    if (!row) void this.keys.value
    return row
  }

  values(): T[] {
    return this.keys.value.flatMap((key) => {
      const row = this.#rows.get(key)?.value
      return row === undefined ? [] : [row]
    })
  }

  /** Take a snapshot: rows that are in it keep their signals, so that only what differs is drawn again. */
  seed(rows: Iterable<[string, T]>, position: number): void {
    const given = new Map(rows)
    batch(() => {
      for (const key of this.#rows.keys()) if (!given.has(key)) this.#drop(key)
      for (const [key, row] of given) this.#put(key, row)
      this.position = position
      this.#list([...given.keys()])
    })
  }

  /** Take a patch. One that is not newer than the rows is passed over: after a cut the stream may tell again what is known. */
  patch(rows: readonly (readonly [string, T | null])[], position: number): boolean {
    if (position <= this.position) return false
    batch(() => {
      let listed = false
      for (const [key, row] of rows) {
        if (row === null) listed = this.#drop(key) || listed
        else listed = this.#put(key, row) || listed
      }
      this.position = position
      if (listed) this.#list([...this.#rows.keys()])
    })
    return true
  }

  /** Whether the row is new. */
  #put(key: string, row: T): boolean {
    const there = this.#rows.get(key)
    if (!there) {
      this.#rows.set(key, signal(row))
      return true
    }
    if (JSON.stringify(there.peek()) !== JSON.stringify(row)) there.value = row
    return false
  }

  /** Whether there was one. */
  #drop(key: string): boolean {
    const there = this.#rows.get(key)
    if (there) there.value = undefined
    return this.#rows.delete(key)
  }

  #list(keys: string[]): void {
    const now = this.keys.peek()
    if (now.length !== keys.length || now.some((key, index) => key !== keys[index])) this.keys.value = keys
  }
}
