/** What happened, newest first: a line each, with a way to look at the world as it was then. Older lines are asked for by page. */
import { batch, useSignal, useSignalEffect } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { ApiError } from '../api/error.ts'
import { at } from '../router/location.ts'
import { lookAt } from '../time/moment.ts'
import type { Status } from '../board/types.ts'
import { Glyph, Time } from './base.tsx'
import { Button } from './Button.tsx'
import { Person } from './Person.tsx'
import { Said } from './Said.tsx'
import { ErrorCard } from './say.tsx'
import '../styles/shared.css'

export interface Happening {
  position: number
  time: string
  status: Status
  what: ComponentChildren
  message?: string
  by?: string
}

export interface HistoryProps {
  /** The newest part. */
  items: readonly Happening[]
  /** From where to read on; 0: nothing is left. */
  before: number
  older(before: number): Promise<{ items: readonly Happening[]; before: number }>
}

export function History({ items, before, older }: HistoryProps) {
  const more = useSignal<readonly Happening[]>([])
  const next = useSignal<number | null>(null)
  const error = useSignal<ApiError | null>(null)
  const busy = useSignal(false)
  const list = useRef<HTMLOListElement>(null)
  const last = useRef(0)
  useLayoutEffect(() => {
    const line = last.current ? list.current?.querySelector<HTMLElement>(`[data-position="${last.current}"] button`) : null
    last.current = 0
    if (document.activeElement === document.body) line?.focus()
  }, [next.value])
  // At another moment it is another history.
  useSignalEffect(() => {
    void at.value
    batch(() => {
      more.value = []
      next.value = null
    })
  })
  const oldest = more.value.at(-1)?.position ?? Infinity
  const from = next.value ?? before
  // The newest part moves on while older ones stay: what is in both is told once, what slipped between them is in neither for long.
  const known = new Set(items.map((one) => one.position))
  const all = [...items, ...more.value.filter((one) => !known.has(one.position))]
  const ask = async () => {
    const of = at.peek()
    busy.value = true
    error.value = null
    try {
      const start = more.peek().length ? from : Math.min(before, oldest)
      const page = await older(start)
      if (at.peek() !== of) return
      // The button goes with the last of them: who pressed it goes on with the first of what it brought.
      last.current = page.before ? 0 : (page.items[0]?.position ?? 0)
      batch(() => {
        more.value = [...more.peek(), ...page.items]
        next.value = page.before
      })
    } catch (failure) {
      if (at.peek() === of) error.value = failure instanceof ApiError ? failure : new ApiError(0, String(failure))
    } finally {
      busy.value = false
    }
  }
  return (
    <>
      <ol class="history" ref={list}>
        {all.map((one) => (
          <li key={one.position} data-position={one.position} data-st={one.status}>
            <Glyph status={one.status} />
            <div>
              <span>{typeof one.what === 'string' ? <Said>{one.what}</Said> : one.what}</span>
              {one.message ? (
                <p class="quiet">
                  <Said>{one.message}</Said>
                </p>
              ) : null}
            </div>
            <span class="when">
              {one.by ? (
                <span class="quiet">
                  <Person by={one.by} /> ·{' '}
                </span>
              ) : null}
              <button type="button" class="quiet-link" title={`Look at event ${one.position}`} onClick={() => lookAt(one.position)}>
                <Time at={one.time} />
              </button>
            </span>
          </li>
        ))}
      </ol>
      {error.value ? <ErrorCard error={error.value} what="Older events:" retry={() => void ask()} /> : null}
      {from ? (
        <div class="foot">
          <Button small onPress={() => void ask()} off={busy.value ? 'They are on their way.' : ''}>
            {busy.value ? 'Loading…' : 'Older…'}
          </Button>
        </div>
      ) : null}
    </>
  )
}
