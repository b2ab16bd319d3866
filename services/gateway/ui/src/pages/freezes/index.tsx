/** Freezes: what is stopped now, what will be, and what was; and the means to stop and to go on. */
import { useSignalEffect } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { workspaceId } from '../../api/client.ts'
import type { Freeze } from '../../api/schema'
import { useQuery } from '../../api/useQuery.ts'
import { counted } from '../../acts/words.ts'
import { useCommands } from '../../frame/commands.ts'
import { useCrumbs } from '../../frame/crumbs.ts'
import { useKeys } from '../../frame/keys.ts'
import { Card, Countdown, Glyph, Icon, Time } from '../../parts/base.tsx'
import { Action } from '../../parts/Button.tsx'
import { Person } from '../../parts/Person.tsx'
import { Said } from '../../parts/Said.tsx'
import { isWeb } from '../../parts/links.ts'
import { Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { at } from '../../router/location.ts'
import { recurrenceWords } from '../../rules/sentences.ts'
import { now } from '../../time/clock.ts'
import { change, declare, letPass, stopTheLine, thaw } from './acts.tsx'
import { type Names, useNames } from './useNames.ts'
import { type When, heldWords, scopeWords, whenOf } from './words.ts'
import '../../styles/shared.css'
import './freezes.css'

const TITLES: Record<When, string> = { active: 'Active', planned: 'Planned', past: 'Past' }
const NONE: Record<When, string> = { active: 'Nothing is frozen now.', planned: 'None is planned.', past: 'There was none yet.' }

export default function Freezes() {
  useCrumbs([{ label: 'Freezes' }])
  const names = useNames()
  const freezes = useQuery('/api/v1/workspaces/{workspaceId}/freezes', { query: { limit: 1000 }, topics: ['freezes'] })
  const box = useRef<HTMLDivElement>(null)
  const all = freezes.data.value?.items
  const of = (when: When) => (all ?? []).filter((one) => whenOf(one) === when)

  // Freezes begin and end by time alone, of which no event tells.
  useSignalEffect(() => {
    const next = Math.min(...(freezes.data.value?.items ?? []).flatMap((one) => (one.nextChange ? [Date.parse(one.nextChange)] : [])))
    if (at.value !== null || !Number.isFinite(next)) return
    const timer = setTimeout(() => freezes.reload(), Math.min(Math.max(next - now.peek() + 250, 500), 2 ** 31 - 1))
    return () => clearTimeout(timer)
  })

  const live = (run: () => void) => () => (at.value === null ? run() : undefined)
  const move = (by: number) => {
    const rows = [...(box.current?.querySelectorAll<HTMLElement>('[data-freeze]') ?? [])]
    const here = rows.indexOf(document.activeElement as HTMLElement)
    rows[Math.max(0, Math.min(rows.length - 1, here < 0 ? 0 : here + by))]?.focus()
  }
  const chosen = () => all?.find((one) => one.id === (document.activeElement as HTMLElement | null)?.dataset?.['freeze'] && whenOf(one) !== 'past')
  useKeys([
    { key: 'n', does: 'freeze something', run: live(declare) },
    { key: 'S', does: 'stop the line', run: live(stopTheLine) },
    { key: 'j', does: 'next freeze', run: () => move(1) },
    { key: 'k', does: 'freeze before', run: () => move(-1) },
    { key: 't', does: 'thaw the freeze that has the focus', run: live(() => { const one = chosen(); if (one) thaw(one) }) },
    { key: 'c', does: 'change the end or the reason of the freeze that has the focus', run: live(() => { const one = chosen(); if (one) change(one) }) },
    { key: 'l', does: 'let a version pass the freeze that has the focus', run: live(() => { const one = chosen(); if (one) letPass(one) }) },
  ])
  useCommands([
    { label: 'Stop the line', run: live(stopTheLine) },
    { label: 'Freeze something', run: live(declare) },
  ])

  return (
    <div class="sheet" ref={box}>
      <div class="head">
        <h1>Freezes</h1>
        <div class="actions">
          <Action onPress={declare}>
            <Icon name="freezes" /> Freeze…
          </Action>
          <Action kind="danger" onPress={stopTheLine}>
            Stop the line…
          </Action>
        </div>
        <p>While something is frozen, no version goes there, whatever policies allow. Rollbacks go on, unless a freeze says otherwise.</p>
      </div>
      {freezes.error.value ? <ErrorCard error={freezes.error.value} what="Freezes could not be read." retry={freezes.reload} /> : null}
      {!all ? (
        freezes.slow.value ? <Skeleton lines={9} /> : null
      ) : !all.length ? (
        <First />
      ) : (
        (['active', 'planned', 'past'] as const).map((when) => {
          const some = of(when)
          return (
            <Card key={when} title={TITLES[when]} note={some.length ? <span class="num">{some.length}</span> : undefined}>
              {some.length ? (
                <ul class="freezes" aria-label={`${TITLES[when]} freezes`}>
                  {some.map((one) => (
                    <Line key={one.id} freeze={one} when={when} names={names.value} />
                  ))}
                </ul>
              ) : (
                <p class="quiet pad">{NONE[when]}</p>
              )}
            </Card>
          )
        })
      )}
    </div>
  )
}

function Line({ freeze, when, names }: { freeze: Freeze; when: When; names: Names }) {
  const where = scopeWords(freeze, names.of)
  return (
    <li data-freeze={freeze.id} tabIndex={0} aria-label={`${where}: ${freeze.reason}`}>
      <div class="what">
        <div class="first">
          {when === 'past' ? null : <span class="status" data-st={when === 'active' ? 'blocked' : 'pending'}><Glyph status={when === 'active' ? 'blocked' : 'pending'} /></span>}
          <b>{where[0]?.toUpperCase() + where.slice(1)}</b>
          {freeze.holdsRollbacks ? <span class="tag">rollbacks wait too</span> : null}
          {freeze.dead ? <span class="tag">what it was for is gone</span> : null}
        </div>
        <p>
          <Said>{freeze.reason}</Said>{' '}
          {!freeze.link ? null : isWeb(freeze.link) ? (
            <a class="link out" href={freeze.link} target="_blank" rel="noreferrer">
              link <Icon name="external" />
              <span class="sr"> (opens beside)</span>
            </a>
          ) : (
            <span class="quiet">{freeze.link}</span>
          )}
        </p>
        {when === 'active' ? <Holds freeze={freeze} names={names} /> : null}
        {when === 'past' ? null : <Overrides freeze={freeze} names={names} />}
        <p class="quiet">
          by <Person by={freeze.createdBy} /> · <Time at={freeze.createdAt} />
          {freeze.thawedAt ? (
            <>
              {' '}
              · thawed by <Person by={freeze.thawedBy ?? ''} /> <Time at={freeze.thawedAt} />
              {freeze.thawReason ? `: ${freeze.thawReason}` : ''}
            </>
          ) : null}
        </p>
      </div>
      <div class="until">
        <Until freeze={freeze} when={when} />
        {when === 'past' ? null : (
          <div class="row-of">
            <Action small onPress={() => letPass(freeze)}>
              Let a version pass…
            </Action>
            <Action small onPress={() => change(freeze)}>
              Change…
            </Action>
            <Action small onPress={() => thaw(freeze)}>
              {when === 'active' ? 'Thaw…' : 'Take back…'}
            </Action>
          </div>
        )}
      </div>
    </li>
  )
}

function Until({ freeze, when }: { freeze: Freeze; when: When }) {
  const again = freeze.rrule ? `${counted(freeze.durationMinutes ?? 0, 'minute')} after ${recurrenceWords(freeze.rrule)}${freeze.timezone ? ` (${freeze.timezone})` : ''}` : ''
  if (when === 'past') return freeze.thawedAt ? null : freeze.endsAt ? <span class="quiet">ended <Time at={freeze.endsAt} /></span> : null
  return (
    <div>
      {freeze.nextChange ? (
        <>
          {when === 'active' ? 'ends in ' : 'begins in '}
          <Countdown until={freeze.nextChange} />
          <div class="quiet">
            <Time at={freeze.nextChange} />
          </div>
        </>
      ) : (
        'until somebody thaws it'
      )}
      {again ? <div class="quiet">{again}</div> : null}
    </div>
  )
}

function Holds({ freeze, names }: { freeze: Freeze; names: Names }) {
  const effect = useQuery('/api/v1/workspaces/{workspaceId}/freezes/{freezeId}/effect', { path: { freezeId: freeze.id }, topics: ['freezes', 'versions'] })
  if (effect.error.value) return <p class="quiet">What it holds could not be counted: {effect.error.value.message}</p>
  const held = effect.data.value
  return <p>{held ? `Holds ${heldWords(held, names.of, names.tag)}.` : <span class="quiet">What it holds is being counted…</span>}</p>
}

function Overrides({ freeze, names }: { freeze: Freeze; names: Names }) {
  const whole = useQuery('/api/v1/workspaces/{workspaceId}/freezes/{freezeId}', { path: { freezeId: freeze.id }, topics: ['freezes'] })
  const some = (whole.data.value?.overrides ?? []).filter((one) => Date.parse(one.expiresAt) > now.value)
  if (!some.length) return null
  return (
    <ul class="passing">
      {some.map((one) => (
        <li key={one.id}>
          <Icon name="check" />
          <span>
            {names.tag(one.versionId)} may pass{one.environmentId ? ` in ${names.of(one.environmentId)}` : ''} for <Countdown until={one.expiresAt} />: {one.reason} (
            <Person by={one.createdBy} />)
          </span>
        </li>
      ))}
    </ul>
  )
}

function First() {
  const command = `curl -X POST ${location.origin}/api/v1/workspaces/${workspaceId.value}/stop-the-line \\
  -H "X-API-Key: $SIGNALBOX_API_KEY" -H 'Content-Type: application/json' -d '{"reason": "database on fire"}'`
  return (
    <Empty title="Nothing was ever frozen" command={command}>
      <p>Freezes appear here, with what they hold: the whole workspace in an incident, an environment over the holidays, a deployment on Friday afternoons. The command stops the line:</p>
    </Empty>
  )
}
