/** Keys of the whole page, and those of the page that is shown. Single letters are off in fields, and everywhere for who switched them off. */
import { signal } from '@preact/signals'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { kept } from './kept.ts'

export interface KeyAction {
  /** As the event tells it: `y`, `?`, `[`; two with a space are pressed one after the other: `g o`. */
  key: string
  does: string
  /** Without it the key is only told of in the key sheet: a part of the page takes it itself. */
  run?(): void
}

const globals: KeyAction[] = []
/** The keys of the pages and parts that are shown now, for the key sheet. */
export const pageKeys = signal<readonly KeyAction[]>([])
let started = ''
let startedAt = 0

/** 'off' (by `keep('letters', …)`): single letters, digits and signs are no keys. Whoever speaks to the computer, or hits keys by mistake, would set off one after the other. */
export const letters = kept('letters')

/** Whether a key works now: those of a single letter, or that begin with one, can be switched off. */
export function works(key: string): boolean {
  return !letters.value || !/^[!-~]( |$)/.test(key)
}

/** What a button is called that has a key: with the key while it works. */
export function named(label: string, key: string): string {
  return works(key) ? `${label} ( ${key} )` : label
}

/** Keys that work everywhere. */
export function globalKeys(actions: readonly KeyAction[]): void {
  globals.splice(0, globals.length, ...actions)
}

export function allGlobalKeys(): readonly KeyAction[] {
  return globals
}

/** Keys of a page, for as long as it is shown: `useKeys([{ key: 'y', does: 'approve', run }])`. */
export function useKeys(actions: readonly KeyAction[]): void {
  const newest = useRef(actions)
  newest.current = actions
  const names = actions.map((action) => action.key).join(' ')
  // With the paint, not after it: who sees the page may press at once.
  useLayoutEffect(() => {
    const mine = actions.map(({ key, does, run }): KeyAction =>
      run ? { key, does, run: () => newest.current.find((action) => action.key === key)?.run?.() } : { key, does },
    )
    pageKeys.value = [...pageKeys.peek(), ...mine]
    return () => {
      pageKeys.value = pageKeys.peek().filter((action) => !mine.includes(action))
    }
  }, [names])
}

/** Whether somebody types: then letters are text. */
export function typing(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input:not([type=range], [type=checkbox], [type=radio]), textarea, select, [contenteditable]') !== null
}

// Before any part of the page hears of it. In a field letters are text, and in a menu they go to what begins so.
addEventListener(
  'keydown',
  (event) => {
    if (works(event.key) || event.altKey || event.metaKey || event.ctrlKey) return
    if (!typing(event.target) && !(event.target as Element).closest('[role=menu]')) event.stopPropagation()
  },
  true,
)

document.addEventListener('keydown', (event) => {
  if (event.defaultPrevented || event.altKey) return
  const command = event.metaKey || event.ctrlKey
  const name = command ? `Ctrl ${event.key.toLowerCase()}` : event.key
  if (!command && (typing(event.target) || document.querySelector('dialog[open]'))) return
  const both = performance.now() - startedAt < 1_200 && started ? `${started} ${name}` : ''
  started = ''
  const all = [...pageKeys.peek(), ...globals]
  const found = all.find((action) => action.run && action.key === both) ?? all.find((action) => action.run && action.key === name)
  if (found?.run) {
    event.preventDefault()
    found.run()
  } else if (!command && all.some((action) => action.key.startsWith(`${name} `))) {
    started = name
    startedAt = performance.now()
  }
})
