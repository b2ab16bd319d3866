/** What people do with freezes: each is asked first, with what follows from it. */
import { type Signal, signal, useComputed, useSignal } from '@preact/signals'
import { send } from '../../api/client.ts'
import { ApiError } from '../../api/error.ts'
import type { Freeze } from '../../api/schema'
import { useQuery } from '../../api/useQuery.ts'
import { EXPIRIES, counted, expiries } from '../../acts/words.ts'
import { columns, rows } from '../../board/board.ts'
import { confirm } from '../../parts/Dialog.tsx'
import { Said } from '../../parts/Said.tsx'
import { toast } from '../../parts/say.tsx'
import { now } from '../../time/clock.ts'
import { Labelled } from '../policy/Form.tsx'
import { FreezeForm, FreezeWords, bodyOf, wanted } from './FreezeForm.tsx'
import { InstantField } from './InstantField.tsx'
import { useWouldHold } from './useHeld.ts'
import { useNames } from './useNames.ts'
import { type Scoped, type Wished, changeOf, changeWords, heldWords, lackingOf, lackingOfChange, scopeWords, unfinished, wishOf } from './words.ts'

const FREEZES = '/api/v1/workspaces/{workspaceId}/freezes'
const FREEZE = '/api/v1/workspaces/{workspaceId}/freezes/{freezeId}'

/** Freeze something for a time. */
export function declare(): void {
  const of = wanted()
  confirm({
    title: 'Freeze',
    consequence: <FreezeWords of={of} />,
    more: <FreezeForm of={of} />,
    verb: 'Freeze it',
    danger: true,
    reason: 'required',
    act: async ({ reason, key }) => {
      const lacking = lackingOf(of.peek())
      if (lacking) throw new ApiError(0, lacking)
      await send('post', FREEZES, { body: bodyOf(of.peek(), reason), key })
      toast('healthy', 'It is frozen.')
    },
  })
}

/** Stop everything, in one action. */
export function stopTheLine(): void {
  confirm({
    title: 'Stop the line?',
    consequence: <StopWords />,
    verb: 'Stop the line',
    danger: true,
    reason: 'required',
    act: async ({ reason, key }) => {
      const { after } = await send('post', '/api/v1/workspaces/{workspaceId}/stop-the-line', { body: { reason }, key })
      toast('healthy', `The line is stopped: ${counted(after.targets, 'target is', 'targets are')} held.`)
    },
  })
}

const EVERYTHING: Scoped = { scope: 'workspace' }

function StopWords() {
  const names = useNames()
  const { held, problem } = useWouldHold(useSignal(EVERYTHING))
  return (
    <>
      Freezes the whole workspace at once, until somebody thaws it.{' '}
      {held.value ? <b>It would hold {heldWords(held.value, names.value.of, names.value.tag)}.</b> : (problem.value?.message ?? 'What it would hold is being counted…')} Rollbacks go on; jobs
      that run already are not stopped.
    </>
  )
}

/** End a freeze now. */
export function thaw(freeze: Freeze): void {
  confirm({
    title: 'Thaw this freeze?',
    consequence: <ThawWords freeze={freeze} />,
    verb: 'Thaw it',
    reason: 'optional',
    act: async ({ reason, key }) => {
      await send('post', `${FREEZE}/thaw`, { path: { freezeId: freeze.id }, body: { reason }, key })
      toast('healthy', 'It is thawed.')
    },
  })
}

function ThawWords({ freeze }: { freeze: Freeze }) {
  const names = useNames()
  const effect = useQuery(`${FREEZE}/effect`, { path: { freezeId: freeze.id } })
  const held = effect.data.value
  const where = scopeWords(freeze, names.value.of)
  if (!freeze.active) return <>Takes the freeze of {where} back before it begins.</>
  return (
    <>
      Ends the freeze of {where} now (<Said>{freeze.reason}</Said>). {held ? `It holds ${heldWords(held, names.value.of, names.value.tag)}${held.waiting ? ': what no other rule holds goes at once.' : '.'}` : uncounted(effect)}
    </>
  )
}

/** What is said where there is no number yet, or none to be had. */
function uncounted(effect: { error: { value: ApiError | null } }): string {
  return effect.error.value ? `What it holds could not be counted: ${effect.error.value.message}` : 'What it holds is being counted…'
}

/** Change until when something is frozen, and why. */
export function change(freeze: Freeze): void {
  const of = signal(wishOf(freeze))
  confirm({
    title: 'Change this freeze',
    consequence: <ChangeWords freeze={freeze} of={of} />,
    more: <ChangeForm freeze={freeze} of={of} />,
    verb: 'Change it',
    act: async ({ key }) => {
      const body = changeOf(freeze, of.peek())
      const lacking = unfinished('end', of.peek().ends) || lackingOfChange(freeze, body, now.peek())
      if (lacking) throw new ApiError(0, lacking)
      await send('patch', FREEZE, { path: { freezeId: freeze.id }, body, key })
      toast('healthy', 'The freeze is changed.')
    },
  })
}

function ChangeWords({ freeze, of }: { freeze: Freeze; of: Signal<Wished> }) {
  const names = useNames()
  const effect = useQuery(`${FREEZE}/effect`, { path: { freezeId: freeze.id }, when: freeze.active })
  const held = effect.data.value
  return (
    <>
      <Said>{changeWords(freeze, changeOf(freeze, of.value), scopeWords(freeze, names.value.of), now.value)}</Said>{' '}
      {freeze.active ? (held ? <b>It holds {heldWords(held, names.value.of, names.value.tag)}.</b> : uncounted(effect)) : null}
    </>
  )
}

function ChangeForm({ freeze, of }: { freeze: Freeze; of: Signal<Wished> }) {
  const one = of.value
  const set = (wish: Partial<Wished>) => (of.value = { ...of.peek(), ...wish })
  return (
    <div class="freeze-form">
      <div class="pair">
        <InstantField label="Until (empty: until somebody thaws it)" which="end" value={one.ends} onText={(ends) => set({ ends })} />
        {freeze.rrule ? (
          <Labelled label="For so many minutes each time">
            {(id) => <input id={id} class="field" type="number" min={1} value={one.minutes} onInput={(event) => set({ minutes: event.currentTarget.value })} />}
          </Labelled>
        ) : null}
      </div>
      <Labelled label="Why it is frozen">
        {(id) => <textarea id={id} class="field" rows={2} maxLength={500} value={one.reason} onInput={(event) => set({ reason: event.currentTarget.value })} />}
      </Labelled>
    </div>
  )
}

/** Let one version pass a freeze, for a time. */
export function letPass(freeze: Freeze): void {
  const of = signal<Passing>({ versionId: '', environmentId: '', lasts: 0 })
  const ends = expiries()
  confirm({
    title: 'Let a version pass the freeze?',
    consequence: <PassWords freeze={freeze} of={of} />,
    more: <PassForm freeze={freeze} of={of} />,
    verb: 'Let it pass',
    danger: true,
    reason: 'required',
    act: async ({ reason, key }) => {
      const { versionId, environmentId, lasts } = of.peek()
      if (!versionId) throw new ApiError(0, 'Choose the version first.')
      const expiresAt = ends(key, EXPIRIES[lasts]?.hours ?? 1, now.peek()) ?? ''
      await send('post', `${FREEZE}/overrides`, { path: { freezeId: freeze.id }, body: { versionId, reason, expiresAt, ...(environmentId ? { environmentId } : {}) }, key })
      toast('healthy', 'The version passes the freeze.')
    },
  })
}

interface Passing {
  versionId: string
  environmentId: string
  lasts: number
}

function PassWords({ freeze, of }: { freeze: Freeze; of: Signal<Passing> }) {
  const names = useNames()
  const effect = useQuery(`${FREEZE}/effect`, { path: { freezeId: freeze.id } })
  const { versionId, environmentId, lasts } = of.value
  if (!versionId) return <>One version goes although this is frozen ({freeze.reason}); everything else stays held.</>
  const held = (effect.data.value?.rollouts ?? []).filter((one) => one.versionId === versionId && (!environmentId || one.environmentId === environmentId))
  const targets = held.reduce((sum, one) => sum + one.targets, 0)
  return (
    <>
      {names.value.tag(versionId)} may go to {environmentId ? names.value.of(environmentId) : 'every environment'} {EXPIRIES[lasts]?.label} although this is frozen
      {effect.data.value ? (
        <>
          : <b>{counted(targets, 'target waits', 'targets wait')} for it</b>.
        </>
      ) : (
        `. ${uncounted(effect)}`
      )}{' '}
      All other rules still hold it; every other version stays frozen.
    </>
  )
}

function PassForm({ freeze, of }: { freeze: Freeze; of: Signal<Passing> }) {
  const names = useNames()
  const effect = useQuery(`${FREEZE}/effect`, { path: { freezeId: freeze.id } })
  const set = (change: Partial<Passing>) => (of.value = { ...of.peek(), ...change })
  const versions = useComputed(() => {
    const waiting = (effect.data.value?.rollouts ?? []).map((one) => ({ id: one.versionId, of: one.deploymentId }))
    const newest = rows.value.flatMap((row) => (row.newest ? [{ id: row.newest.versionId, of: row.id }] : []))
    return [...new Map([...waiting, ...newest].map((one) => [one.id, one])).values()]
  })
  return (
    <div class="freeze-form">
      <div class="pair">
        <Labelled label="Version">
          {(id) => (
            <select id={id} class="field" value={of.value.versionId} onChange={(event) => set({ versionId: event.currentTarget.value })}>
              <option value="">choose…</option>
              {versions.value.map((one) => (
                <option key={one.id} value={one.id}>
                  {names.value.of(one.of)} {names.value.tag(one.id)}
                </option>
              ))}
            </select>
          )}
        </Labelled>
        <Labelled label="Where">
          {(id) => (
            <select id={id} class="field" value={of.value.environmentId} onChange={(event) => set({ environmentId: event.currentTarget.value })}>
              <option value="">every environment</option>
              {columns.value.map((one) => (
                <option key={one.id} value={one.id}>
                  {one.name}
                </option>
              ))}
            </select>
          )}
        </Labelled>
        <Labelled label="How long">
          {(id) => (
            <select id={id} class="field" value={String(of.value.lasts)} onChange={(event) => set({ lasts: Number(event.currentTarget.value) })}>
              {EXPIRIES.filter((one) => one.hours !== null).map((one, index) => (
                <option key={one.label} value={String(index)}>
                  {one.label}
                </option>
              ))}
            </select>
          )}
        </Labelled>
      </div>
    </div>
  )
}
