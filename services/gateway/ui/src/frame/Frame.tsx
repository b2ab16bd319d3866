/** What is around every page. */
import { useSignalEffect } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import { expired } from '../api/client.ts'
import { counters, useOfBoard } from '../board/board.ts'
import { caughtUp, connection, heardAt } from '../live/link.ts'
import { asked } from '../parts/asked.ts'
import { thousands } from '../parts/numbers.ts'
import { Toasts, toast } from '../parts/say.tsx'
import { at, go, place, visits } from '../router/location.ts'
import { workspace } from '../session.ts'
import { now } from '../time/clock.ts'
import { lookAt, past, step } from '../time/moment.ts'
import { crumbs } from './crumbs.ts'
import { density } from './density.ts'
import { Dock } from './Dock.tsx'
import { keep } from './kept.ts'
import { globalKeys } from './keys.ts'
import { Lazy, NOT_LOADED } from './Lazy.tsx'
import { helpOpen, paletteOpen } from './overlays.ts'
import { Page } from './Page.tsx'
import { ENTRIES } from './places.ts'
import { Side, sideOpen } from './Side.tsx'
import { nextTheme } from './theme.ts'
import { Top } from './Top.tsx'

const palette = () => import('./Palette.tsx')
const help = () => import('./Help.tsx')
const question = () => import('../parts/Dialog.tsx')
const signInAgain = () => import('./SignInAgain.tsx')

globalKeys([
  { key: 'Ctrl k', does: 'search or jump to anything', run: () => (paletteOpen.value = true) },
  { key: '/', does: 'go to the filter of the page', run: () => document.querySelector<HTMLElement>('[data-filter]')?.focus() },
  { key: '?', does: 'show these keys', run: () => (helpOpen.value = true) },
  { key: '[', does: 'one event back', run: () => step(-1) },
  { key: ']', does: 'one event forward', run: () => step(1) },
  { key: 't', does: 'change the theme', run: nextTheme },
  { key: 'd', does: 'make rows compact, or comfortable', run: () => keep('density', density.peek() ? '' : 'compact') },
  { key: 'Escape', does: 'back to live', run: escape },
  ...ENTRIES.map((entry) => ({ key: `g ${entry.key}`, does: `go to ${entry.label.toLowerCase()}`, run: () => go(entry.href()) })),
])

function escape(): void {
  if (sideOpen.peek()) sideOpen.value = false
  else if (at.peek() !== null) lookAt(null)
}

export function Frame() {
  useEffect(useOfBoard, [])
  useTitle()
  const page = useRef<HTMLElement>(null)
  // Somebody who went to another page is at its beginning, with eyes, keys and screen reader; not at the first look.
  useSignalEffect(() => {
    if (visits.value === 0) return
    sideOpen.value = false
    page.current?.scrollTo(0, 0)
    requestAnimationFrame(() => page.current?.focus({ preventScroll: true }))
  })
  return (
    <div class="frame" data-past={past.value ? '' : undefined}>
      <a class="skip" href="#page">
        Skip to the page
      </a>
      <Side />
      <Top />
      <main class="page" id="page" ref={page} tabIndex={-1} data-fill={place.value?.name === 'overview' ? '' : undefined}>
        <Page />
      </main>
      <Notices />
      <Dock />
      {asked.value ? <Lazy load={question} failed={() => missing('The question that comes before it', () => (asked.value = null))} /> : null}
      <Toasts />
      {paletteOpen.value ? <Lazy load={palette} failed={() => missing('The search', () => (paletteOpen.value = false))} /> : null}
      {helpOpen.value ? <Lazy load={help} failed={() => missing('The list of keys', () => (helpOpen.value = false))} /> : null}
      {expired.value ? <Lazy load={signInAgain} failed={() => missing('The session is over, and the form to sign in again')} /> : null}
    </div>
  )
}

/** What lies over the page has no place of its own to say this in; asked for again it says so again. */
function missing(what: string, close?: () => void): void {
  close?.()
  toast('failed', `${what} ${NOT_LOADED}`, () => location.reload(), 'Load the page again')
}

/** The count of what waits for somebody is in the title: it is seen in a tab that is not looked at. */
function useTitle(): void {
  useSignalEffect(() => {
    const waiting = counters.value?.approvals ?? 0
    const last = crumbs.value.at(-1)?.label ?? 'Signalbox'
    document.title = `${waiting ? `(${waiting}) ` : ''}${last} · ${workspace.value?.name ?? 'Signalbox'}`
  })
}

function Notices() {
  const back = caughtUp.value
  // A short cut mends itself unnoticed; only a longer one is worth a line.
  if (connection.value === 'cut' && now.value - heardAt.value > 30_000) {
    return (
      <div class="banner notice" data-kind="bad" role="status">
        The gateway can not be reached. What you see is as of the last event that was heard; it goes on by itself.
      </div>
    )
  }
  if (!back || (!back.events && back.seconds < 5)) return null
  return (
    <div class="banner notice" role="status">
      {back.events === 0 ? 'Caught up: nothing happened' : `Caught up with ${thousands(back.events)} ${back.events === 1 ? 'event' : 'events'}`} while
      the connection was away for {back.seconds} s.
    </div>
  )
}
