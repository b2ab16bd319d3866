/** Times in words. Pure: the present comes in. */

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** What is left until an instant: `2m 05s`, `1h 04m`, `3d 2h`; `due` when it has come. Never shorter than what is left. */
export function left(until: number, now: number): string {
  const ms = until - now
  if (ms <= 0) return 'due'
  const all = Math.ceil(ms / SECOND)
  const days = Math.floor(all / 86_400)
  const hours = Math.floor(all / 3_600) % 24
  const minutes = Math.floor(all / 60) % 60
  const seconds = all % 60
  const two = (n: number) => String(n).padStart(2, '0')
  if (days) return `${days}d ${hours}h`
  if (hours) return `${hours}h ${two(minutes)}m`
  if (minutes) return `${minutes}m ${two(seconds)}s`
  return `${seconds}s`
}

/** The same in little room, for a cell: seconds only in the last ten minutes, minutes only in the last ten hours. */
export function brief(until: number, now: number): string {
  const ms = until - now
  if (ms < 10 * MINUTE) return left(until, now)
  if (ms < HOUR) return `${Math.ceil(ms / MINUTE)}m`
  if (ms < 10 * HOUR) return left(until, now)
  return ms < 2 * DAY ? `${Math.ceil(ms / HOUR)}h` : `${Math.ceil(ms / DAY)}d`
}

/** How long ago: `now`, `40s`, `12m`, `3h`, `5d`, `8w`. */
export function age(then: number, now: number): string {
  const ms = Math.max(0, now - then)
  if (ms < 5 * SECOND) return 'now'
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)}s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)}m`
  if (ms < DAY) return `${Math.floor(ms / HOUR)}h`
  if (ms < 56 * DAY) return `${Math.floor(ms / DAY)}d`
  return `${Math.floor(ms / (7 * DAY))}w`
}

/** How long somebody waits: `waiting for 12m`; who has just begun is not said to wait long. */
export function waiting(since: number, now: number): string {
  const said = age(since, now)
  return said === 'now' ? 'waiting since just now' : `waiting for ${said}`
}

/** How long something took: `850 ms`, `12 s`, `3 min 20 s`, `2 h 5 min`. */
export function span(ms: number): string {
  if (ms < SECOND) return `${Math.round(ms)} ms`
  if (ms < MINUTE) return `${Math.round(ms / SECOND)} s`
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min${rest(Math.floor(ms / SECOND) % 60, 's')}`
  return `${Math.floor(ms / HOUR)} h${rest(Math.floor(ms / MINUTE) % 60, 'min')}`
}

function rest(value: number, unit: string): string {
  return value ? ` ${value} ${unit}` : ''
}

/** The instant in UTC as people write it, exact: `2026-03-04 14:03:22.120 UTC`. */
export function utc(instant: number): string {
  const iso = new Date(instant).toISOString()
  return `${iso.slice(0, 10)} ${iso.slice(11, -1)} UTC`.replace('.000 ', ' ')
}

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

/** The instant in the viewer's zone, no longer than it must be: the time of day today, else with its date.
 *
 * Not by `Intl`: its first use takes as long as many rows take to be drawn, and a list has such a text in each.
 */
export function local(instant: number, now: number): string {
  const then = new Date(instant)
  const today = new Date(now)
  const two = (n: number) => String(n).padStart(2, '0')
  const clock = `${two(then.getHours())}:${two(then.getMinutes())}`
  if (then.toDateString() === today.toDateString()) return `${clock}:${two(then.getSeconds())}`
  const year = then.getFullYear()
  return `${then.getDate()} ${MONTHS[then.getMonth()]}${year === today.getFullYear() ? '' : ` ${year}`}, ${clock}`
}

/** A text of the API with its instants in the viewer's zone; what only looks like one stays. */
export function zoned(text: string, now: number): string {
  return text.replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( UTC|Z)/g, (at) => {
    const instant = Date.parse(at.replace(' UTC', 'Z').replace(' ', 'T'))
    return Number.isNaN(instant) ? at : local(instant, now)
  })
}
