/** Small choices that this browser keeps, each a text under a name; its other tabs hear of a change at once. */
import { type Signal, signal } from '@preact/signals'

const BEFORE = 'signalbox:'
const known = new Map<string, Signal<string>>()

function read(name: string): string {
  try {
    return localStorage.getItem(BEFORE + name) ?? ''
  } catch {
    // A browser that lets pages keep nothing.
    return ''
  }
}

/** What is kept under a name; '' for nothing. Change it with `keep`. */
export function kept(name: string): Signal<string> {
  let one = known.get(name)
  if (!one) known.set(name, (one = signal(read(name))))
  return one
}

/** Keep a text, at least for as long as the page is open. */
export function keep(name: string, text: string): void {
  kept(name).value = text
  try {
    localStorage.setItem(BEFORE + name, text)
  } catch {
    // There is no room, or it may not: this page has it all the same.
  }
}

addEventListener('storage', () => {
  for (const [name, one] of known) one.value = read(name)
})
