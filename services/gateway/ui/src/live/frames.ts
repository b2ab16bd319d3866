/** The stream's wire: server-sent events into frames. Pure. */

export type WireRow = Record<string, unknown>

export interface EventHead {
  position: number
  type: string
  subject: string
  time: string
}

/** What changed up to `position`: full rows of topics that carry rows, and names of what else was touched. */
export interface Patch {
  position: number
  time: string
  rows: [topic: string, key: string, row: WireRow | null][]
  touched: [topic: string, id: string][]
  events: EventHead[]
}

export type Frame =
  | { kind: 'patch'; patch: Patch }
  | { kind: 'beat'; position: number; time: string }
  | { kind: 'reset'; position: number }

/** Splits a stream of text, however it is cut, into server-sent events. */
export class Events {
  #rest = ''

  /** The events that are complete now. A comment counts as one without data: it shows that the other side is there. */
  take(text: string): { event: string; data: string }[] {
    const found: { event: string; data: string }[] = []
    this.#rest += text.replaceAll('\r', '')
    for (;;) {
      const end = this.#rest.indexOf('\n\n')
      if (end < 0) return found
      const block = this.#rest.slice(0, end)
      this.#rest = this.#rest.slice(end + 2)
      let event = 'message'
      const data: string[] = []
      for (const line of block.split('\n')) {
        if (line.startsWith('event:')) event = line.slice(6).trim()
        else if (line.startsWith('data:')) data.push(line.slice(5).trimStart())
      }
      found.push({ event, data: data.join('\n') })
    }
  }
}

/** The frame that an event carries; null for what is none, or of a kind that a newer gateway has. */
export function frameOf(event: string, data: string): Frame | null {
  if (!data) return null
  let told: Partial<Patch>
  try {
    told = JSON.parse(data) as Partial<Patch>
  } catch {
    return null
  }
  const position = told.position ?? 0
  const time = told.time ?? ''
  if (event === 'patch') {
    const { rows = [], touched = [], events = [] } = told
    return { kind: 'patch', patch: { position, time, rows, touched, events } }
  }
  if (event === 'beat') return { kind: 'beat', position, time }
  if (event === 'reset') return { kind: 'reset', position }
  return null
}
