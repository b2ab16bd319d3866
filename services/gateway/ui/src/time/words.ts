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

/** By zone: to make one takes a hundred times as long as to use it, and a list has one for each row. */
const formats = new Map<string, ReturnType<typeof made>>()

function formatsOf(zone: string | undefined, now: number) {
  // A format keeps the zone that it was made in; a laptop does not.
  const key = zone ?? String(new Date(now).getTimezoneOffset())
  const there = formats.get(key) ?? made(zone)
  formats.set(key, there)
  return there
}

function made(zone: string | undefined) {
  const where = zone ? { timeZone: zone } : {}
  return {
    day: new Intl.DateTimeFormat('en-CA', { dateStyle: 'short', ...where }),
    time: new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', ...where }),
    date: new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', ...where }),
  }
}

/** The instant in the zone, no longer than it must be: the time of day today, else with its date. */
export function local(instant: number, now: number, zone?: string): string {
  const { day, time, date: dated } = formatsOf(zone, now)
  const clock = time.format(instant)
  if (day.format(instant) === day.format(now)) return clock
  const date = dated.format(instant)
  const year = day.format(instant).slice(0, 4)
  return year === day.format(now).slice(0, 4) ? `${date}, ${clock.slice(0, 5)}` : `${date} ${year}, ${clock.slice(0, 5)}`
}
