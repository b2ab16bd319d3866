/** What the palette offers beside places: entities of the board, and actions that pages put in. */
import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'

export interface Command {
  label: string
  hint?: string
  href?: string
  run?(): void
}

export const pageCommands = signal<readonly Command[]>([])

/** Actions of a page, in the palette for as long as it is shown: `useCommands([{ label: 'Redeploy', run }])`. */
export function useCommands(commands: readonly Command[]): void {
  const newest = useRef(commands)
  newest.current = commands
  const names = commands.map((one) => one.label).join('\n')
  useEffect(() => {
    // What is run is that of the newest drawing: the first one knew nothing yet.
    const mine = commands.map(({ run, ...one }, index): Command => (run ? { ...one, run: () => newest.current[index]?.run?.() } : one))
    pageCommands.value = [...pageCommands.peek(), ...mine]
    return () => {
      pageCommands.value = pageCommands.peek().filter((one) => !mine.includes(one))
    }
  }, [names])
}

/** How well a label fits what was typed: every word must be in it; the earlier and the more at beginnings, the better. -1: not at all. */
export function fitness(label: string, typed: string): number {
  const text = label.toLowerCase()
  let sum = 0
  for (const word of typed.toLowerCase().split(/\s+/).filter(Boolean)) {
    const found = text.indexOf(word)
    if (found < 0) return -1
    const begins = found === 0 || /[\s/._-]/.test(text[found - 1] ?? '')
    sum += (begins ? 20 : 5) - Math.min(4, found / 8)
  }
  return sum
}
