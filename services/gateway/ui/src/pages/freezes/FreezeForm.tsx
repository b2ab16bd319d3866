/** What is to be frozen and for how long, with what that would hold while it is written. */
import { type Signal, signal, useComputed } from '@preact/signals'
import type { Body } from '../../api/client.ts'
import { counted } from '../../acts/words.ts'
import { useQuery } from '../../api/useQuery.ts'
import { columns, rows } from '../../board/board.ts'
import { vocabulary } from '../../cel/complete.ts'
import { CelField } from '../../parts/CelField.tsx'
import { Said } from '../../parts/Said.tsx'
import { Labelled } from '../policy/Form.tsx'
import { recurrenceWords } from '../../rules/sentences.ts'
import { InstantField } from './InstantField.tsx'
import { useWouldHold } from './useHeld.ts'
import { useNames } from './useNames.ts'
import { type Scoped, heldWords, instantOf, localOf, scopeWords } from './words.ts'

export type FreezeBody = Body<'/api/v1/workspaces/{workspaceId}/freezes', 'post'>

/** A freeze while it is written; times as the fields of the browser have them, in the reader's zone. */
export interface Wanted {
  scope: Scoped['scope']
  scopeId: string
  selector: string
  starts: string
  lasts: string
  ends: string
  rrule: string
  minutes: string
  timezone: string
  holdsRollbacks: boolean
  link: string
}

const LASTS = [
  { value: '', label: 'until somebody thaws it' },
  { value: 'PT1H', label: 'for 1 hour' },
  { value: 'PT4H', label: 'for 4 hours' },
  { value: 'P1D', label: 'for 1 day' },
  { value: 'P7D', label: 'for 7 days' },
  { value: 'at', label: 'until a time' },
  { value: 'again', label: 'again and again' },
]

export function wanted(): Signal<Wanted> {
  return signal({
    scope: 'workspace',
    scopeId: '',
    selector: '',
    starts: '',
    lasts: 'PT4H',
    ends: '',
    rrule: 'FREQ=WEEKLY;BYDAY=FR;BYHOUR=15;BYMINUTE=0',
    minutes: '240',
    timezone: Intl.DateTimeFormat().resolvedOptions().timeZone,
    holdsRollbacks: false,
    link: '',
  })
}

/** As the API takes it. A length counts from the start, so that an end is said where that is not now. */
export function bodyOf(one: Wanted, reason: string): FreezeBody {
  const starts = instantOf(one.starts)
  const said: Record<string, unknown> = { reason, scope: one.scope }
  if (one.scope !== 'workspace') said['scopeId'] = one.scopeId
  if (one.selector.trim()) said['selector'] = one.selector.trim()
  if (starts) said['startsAt'] = starts
  if (one.lasts === 'at') said['endsAt'] = instantOf(one.ends)
  else if (one.lasts === 'again') Object.assign(said, { rrule: one.rrule, durationMinutes: Number(one.minutes), timezone: one.timezone })
  else if (one.lasts && starts) said['endsAt'] = new Date(Date.parse(starts) + (HOURS[one.lasts] ?? 0) * 3_600_000).toISOString()
  else if (one.lasts) said['expiresIn'] = one.lasts
  if (one.holdsRollbacks) said['holdsRollbacks'] = true
  if (one.link.trim()) said['link'] = one.link.trim()
  return said as unknown as FreezeBody
}

const HOURS: Record<string, number> = { PT1H: 1, PT4H: 4, P1D: 24, P7D: 168 }

/** Until when, as a part of a sentence, with instants as the API has them. */
export function lastsWords(one: Wanted): string {
  if (one.lasts === 'at') return `until ${instantOf(one.ends) ?? 'a time'}`
  if (one.lasts === 'again') return `for ${one.minutes ? counted(Number(one.minutes), 'minute') : '… minutes'} after ${recurrenceWords(one.rrule)} (${one.timezone || 'UTC'})`
  return LASTS.find((each) => each.value === one.lasts)?.label ?? ''
}

/** What it does, with what it would hold now. */
export function FreezeWords({ of }: { of: Signal<Wanted> }) {
  const names = useNames()
  const scope = useComputed<Scoped>(() => ({ scope: of.value.scope, scopeId: of.value.scopeId, selector: of.value.selector }))
  const { held, problem } = useWouldHold(scope)
  const one = of.value
  const starts = `from ${one.starts ? (instantOf(one.starts) ?? 'a time') : 'now'} on`
  return (
    <>
      Nothing is deployed to {scopeWords({ ...one, selector: one.selector.trim() }, names.value.of)} <Said>{`${starts}, ${lastsWords(one)}`}</Said>.{' '}
      {problem.value ? (
        <span class="wrong-words">What it would hold can not be told: {problem.value.message}</span>
      ) : held.value ? (
        <b>It would hold {heldWords(held.value, names.value.of, names.value.tag)}.</b>
      ) : one.scope !== 'workspace' && !one.scopeId ? (
        `Choose which ${one.scope}.`
      ) : (
        'Being counted…'
      )}{' '}
      {one.holdsRollbacks ? 'Rollbacks wait as well.' : 'Rollbacks go on.'} Jobs that run already are not stopped.
    </>
  )
}

export function FreezeForm({ of }: { of: Signal<Wanted> }) {
  const facets = useQuery('/api/v1/workspaces/{workspaceId}/resources/facets')
  const systems = useQuery('/api/v1/workspaces/{workspaceId}/systems', { query: { limit: 1000 } })
  const words = useComputed(() => vocabulary(facets.data.value, { deployments: rows.value.map((one) => one.name), environments: columns.value.map((one) => one.name) }))
  const one = of.value
  const set = (change: Partial<Wanted>) => (of.value = { ...of.peek(), ...change })
  const among: Record<Wanted['scope'], readonly { id: string; name: string }[]> = {
    workspace: [],
    system: systems.data.value?.items ?? [],
    environment: columns.value,
    deployment: rows.value,
  }
  return (
    <div class="freeze-form">
      <div class="pair">
        <Labelled label="What">
          {(id) => (
            <select id={id} class="field" value={one.scope} onChange={(event) => set({ scope: event.currentTarget.value as Wanted['scope'], scopeId: '' })}>
              <option value="workspace">the whole workspace</option>
              <option value="system">a system</option>
              <option value="environment">an environment</option>
              <option value="deployment">a deployment</option>
            </select>
          )}
        </Labelled>
        {one.scope === 'workspace' ? null : (
          <Labelled label="Which">
            {(id) => (
              <select id={id} class="field" value={one.scopeId} onChange={(event) => set({ scopeId: event.currentTarget.value })}>
                <option value="">choose…</option>
                {among[one.scope].map(({ id: value, name }) => (
                  <option key={value} value={value}>
                    {name}
                  </option>
                ))}
              </select>
            )}
          </Labelled>
        )}
        <Labelled label="How long">
          {(id) => (
            <select id={id} class="field" value={one.lasts} onChange={(event) => set({ lasts: event.currentTarget.value, ends: instantOf(one.ends) ? one.ends : localOf(Date.now() + 24 * 3_600_000) })}>
              {LASTS.map(({ value, label }) => (
                <option key={value} value={value}>
                  {label}
                </option>
              ))}
            </select>
          )}
        </Labelled>
        {one.lasts === 'at' ? (
          <InstantField label="Until" which="end" value={one.ends} onText={(ends) => set({ ends })} />
        ) : null}
      </div>
      {one.lasts === 'again' ? (
        <div class="pair">
          <Labelled label="Begins (RFC 5545)">{(id) => <input id={id} class="field" value={one.rrule} onInput={(event) => set({ rrule: event.currentTarget.value })} />}</Labelled>
          <Labelled label="For so many minutes">{(id) => <input id={id} class="field" type="number" min={1} value={one.minutes} onInput={(event) => set({ minutes: event.currentTarget.value })} />}</Labelled>
          <Labelled label="Time zone">{(id) => <input id={id} class="field" value={one.timezone} onInput={(event) => set({ timezone: event.currentTarget.value })} />}</Labelled>
        </div>
      ) : null}
      <details>
        <summary>More: only some targets, a start later on, rollbacks, a link</summary>
        <div class="freeze-form more">
          <CelField label="Only targets that fit (optional)" value={one.selector} words={words.value} onInput={(selector) => set({ selector })} />
          <div class="pair">
            <InstantField label="Starts (empty: now)" which="start" value={one.starts} onText={(starts) => set({ starts })} />
            <Labelled label="Link (optional)">{(id) => <input id={id} class="field" type="url" placeholder="https://…" value={one.link} onInput={(event) => set({ link: event.currentTarget.value })} />}</Labelled>
          </div>
          <label class="check">
            <input type="checkbox" checked={one.holdsRollbacks} onChange={(event) => set({ holdsRollbacks: event.currentTarget.checked })} /> Rollbacks wait too
          </label>
        </div>
      </details>
    </div>
  )
}
