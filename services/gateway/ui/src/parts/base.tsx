/** The smallest parts: icons, status, times, keys. */
import type { ComponentChildren } from 'preact'
import type { Status as Value } from '../board/types.ts'
import { GLYPHS } from '../icons/glyphs.ts'
import type { IconName } from '../icons/names.ts'
import { now } from '../time/clock.ts'
import { age, brief, left, local, utc, waiting } from '../time/words.ts'
import { useTold } from './useTold.ts'

/** A symbol of the sprite, which is in the page from its first byte. It never stands alone: the text beside it, or the button's label, says the same. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" aria-hidden="true">
      <use href={`#icon-${name}`} />
    </svg>
  )
}

/** The shape of a status. */
export function Glyph({ status }: { status: Value }) {
  return (
    <svg class="glyph" viewBox="0 0 16 16" aria-hidden="true">
      <path fill-rule="evenodd" d={GLYPHS[status]} />
    </svg>
  )
}

/** A status: shape, word and colour. `detail` is the second word: `failed · agent not found`. */
export function Status({ status, detail, pill = false }: { status: Value; detail?: string; pill?: boolean }) {
  return (
    <span class={pill ? 'status pill' : 'status'} data-st={status}>
      <Glyph status={status} />
      {status === 'empty' ? 'no targets' : status}
      {detail ? ` · ${detail}` : ''}
    </span>
  )
}

/** An instant in the viewer's zone, exact in UTC on hover; `ago` shows how long ago instead, `waits` how long somebody waits. Nothing for an empty one. */
export function Time({ at, ago = false, waits = false }: { at: string | null | undefined; ago?: boolean; waits?: boolean }) {
  const instant = at ? Date.parse(at) : Number.NaN
  const text = useTold(() => (waits ? waiting(instant, now.value) : ago ? agoWords(instant) : local(instant, now.value)), [at, ago, waits])
  if (Number.isNaN(instant) || !at) return null
  return (
    <time dateTime={at} title={utc(instant)}>
      {text}
    </time>
  )
}

function agoWords(instant: number): string {
  const said = age(instant, now.value)
  return said === 'now' ? 'just now' : `${said} ago`
}

/** What is left until an instant, ticking; the instant itself on hover. */
export function Countdown({ until, label = '', small = false }: { until: string | null | undefined; label?: string; small?: boolean }) {
  const instant = until ? Date.parse(until) : Number.NaN
  const text = useTold(() => (small ? brief : left)(instant, now.value), [until, small])
  if (Number.isNaN(instant) || !until) return null
  return (
    <time class="ticks" dateTime={until} title={`${label}${utc(instant)}`}>
      {text}
    </time>
  )
}

/** Keys, as on a keyboard: `Ctrl K`. */
export function Keys({ keys }: { keys: string }) {
  return (
    <>
      {keys.split(' ').map((key) => (
        <kbd key={key}>{key}</kbd>
      ))}
    </>
  )
}

/** A bar of progress. It has a text beside it, so that it is only drawn. */
export function Bar({ done, all, status = 'progressing' }: { done: number; all: number; status?: Value }) {
  return (
    <span class="bar" data-st={status} aria-hidden="true">
      <i style={{ '--part': String(all ? (100 * done) / all : 0) }} />
    </span>
  )
}

/** A box with a heading. */
export function Card({ title, note, children, id }: { title: ComponentChildren; note?: ComponentChildren; children: ComponentChildren; id?: string }) {
  return (
    <section class="card" {...(id ? { id } : {})}>
      <header>
        <h2>{title}</h2>
        {note === undefined ? null : <div class="n">{note}</div>}
      </header>
      {children}
    </section>
  )
}
