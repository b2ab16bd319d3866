/** What waits: a box for each version, a row for each environment, with the buttons that decide. */
import { useSignal } from '@preact/signals'
import { useRef } from 'preact/hooks'
import { askApproval } from '../../acts/approve.tsx'
import { counted } from '../../acts/words.ts'
import { session } from '../../api/client.ts'
import type { BoardApproval } from '../../api/schema'
import { useKeys } from '../../frame/keys.ts'
import { Glyph, Time } from '../../parts/base.tsx'
import { Action, PAST } from '../../parts/Button.tsx'
import { Person } from '../../parts/Person.tsx'
import { Said, said } from '../../parts/Said.tsx'
import { toast } from '../../parts/say.tsx'
import { href } from '../../router/location.ts'
import { past } from '../../time/moment.ts'
import { titleOf } from '../../why/words.ts'
import { type Group, askedOf, offOf, passedBy } from './groups.ts'

export function Waiting({ groups }: { groups: readonly Group[] }) {
  const box = useRef<HTMLDivElement>(null)
  const active = useSignal('')
  const sending = useSignal<readonly string[]>([])
  const opened = useSignal(false)
  const passed = passedBy(groups)
  const front = groups.filter((one) => !passed.has(one.key))
  const older = groups.filter((one) => passed.has(one.key))
  const shown = opened.value ? [...front, ...older] : front
  const all = shown.flatMap((group) => group.rows)
  const here = all.find((one) => one.key === active.value) ?? all[0]

  const decide = (rows: readonly BoardApproval[], status: 'approved' | 'rejected') => {
    const able = rows.filter((one) => one.canAct || one.said)
    const asked = askedOf(able.length ? able : rows)
    const keys = rows.map((one) => one.key)
    if (asked) askApproval(asked, status, (on) => (sending.value = on ? [...sending.peek(), ...keys] : sending.peek().filter((one) => !keys.includes(one))))
  }
  const move = (by: number) => {
    const next = all[Math.max(0, Math.min(all.length - 1, (here ? all.indexOf(here) : 0) + by))]
    if (!next) return
    active.value = next.key
    const row = box.current?.querySelector<HTMLElement>(`[data-key="${CSS.escape(next.key)}"]`)
    row?.focus()
    row?.scrollIntoView({ block: 'nearest' })
  }
  const act = (status: 'approved' | 'rejected') => {
    const focused = all.find((one) => one.key === (document.activeElement?.closest('[data-key]') as HTMLElement | null)?.dataset['key']) ?? here
    if (!focused) return
    const said = focused.said === 'rejected' ? 'You have rejected it already.' : ''
    const off = past.peek() ? PAST : sending.peek().includes(focused.key) ? 'It is being sent.' : status === 'approved' ? offOf(focused, session.peek()?.user.id ?? '') : said
    if (off) toast('pending', off)
    else decide([focused], status)
  }
  useKeys([
    { key: 'j', does: 'the next one', run: () => move(active.peek() ? 1 : 0) },
    { key: 'k', does: 'the one before', run: () => move(-1) },
    { key: 'y', does: 'approve it', run: () => act('approved') },
    { key: 'n', does: 'reject it, with a reason', run: () => act('rejected') },
  ])

  const card = ({ key, rows }: Group) => {
    const first = rows[0]
    if (!first) return null
    const mine = rows.filter((one) => one.canAct)
    return (
      <section key={key} class="card ask" aria-label={`${first.deployment.name} ${first.version.tag}`}>
        <header>
          <h2>
            <a href={href('deployment', { deploymentId: first.deployment.id })}>{first.deployment.name}</a>{' '}
            <a class="mono link" href={href('version', { versionId: key })}>
              {first.version.tag}
            </a>
          </h2>
          <span class="quiet small">
            {first.version.name && first.version.name !== first.version.tag ? `${first.version.name} · ` : ''}made <Time at={first.version.createdAt} ago />
          </span>
          {mine.length > 1 ? (
            <div class="n">
              <Action small kind="primary" onPress={() => decide(mine, 'approved')}>
                Approve all {mine.length}…
              </Action>
            </div>
          ) : null}
        </header>
        <ul>
          {rows.map((row) => (
            <Row key={row.key} row={row} active={row === here} sending={sending.value.includes(row.key)} onFocus={() => (active.value = row.key)} decide={decide} />
          ))}
        </ul>
      </section>
    )
  }

  return (
    <div ref={box} class="inbox">
      {front.map(card)}
      {older.length ? (
        <details class="passed-by" open={opened.value} onToggle={(event) => (opened.value = event.currentTarget.open)}>
          <summary>
            {counted(older.length, 'older version')} {older.length === 1 ? 'waits' : 'wait'} where a newer one waits as well
          </summary>
          {opened.value ? older.map(card) : null}
        </details>
      ) : null}
    </div>
  )
}

interface RowProps {
  row: BoardApproval
  active: boolean
  sending: boolean
  onFocus(): void
  decide(rows: readonly BoardApproval[], status: 'approved' | 'rejected'): void
}

function Row({ row, active, sending, onFocus, decide }: RowProps) {
  const off = sending ? 'It is being sent.' : offOf(row, session.value?.user.id ?? '')
  return (
    <li data-key={row.key} tabIndex={active ? 0 : -1} data-active={active ? '' : undefined} onFocus={onFocus} aria-label={spoken(row)}>
      <div class="where">
        <a class="link" href={href('rollout', { deploymentId: row.deployment.id, environmentId: row.environment.id }, { v: row.version.versionId })}>
          {row.environment.name}
        </a>
        <span>
          {counted(row.targets, 'target')}
          {row.running ? (
            <>
              {' '}
              from <span class="mono">{row.running.tag}</span>
            </>
          ) : (
            ', nothing runs there yet'
          )}
        </span>
        <span class="quiet">
          <Time at={row.since} waits />
        </span>
      </div>
      <div class="stands">
        <span data-st="blocked" class="needs">
          <Glyph status="blocked" />
          {row.counts} of {counted(row.needs, 'approval')}
        </span>
        <a class="quiet" href={href('policy', { policyId: row.policy.id })}>
          {row.policy.name}
        </a>
        {row.groups.length ? <span class="quiet">with one each of {row.groups.join(', ')}</span> : null}
        {row.has.map((one) => (
          <span key={one.userId} class="said" data-st={one.status === 'approved' ? 'healthy' : 'failed'} title={said(one.reason)}>
            <Glyph status={one.status === 'approved' ? 'healthy' : 'failed'} />
            <Person by={one.name || one.userId} /> {one.status}
          </span>
        ))}
        {row.others.length ? (
          <span class="quiet">
            then: <Said>{[...new Map(row.others.map((one) => [one.ruleType, other(one)])).values()].join(', ')}</Said>
          </span>
        ) : (
          <span class="quiet">nothing else is in the way</span>
        )}
      </div>
      <div class="acts">
        {sending ? <span class="quiet">sending…</span> : null}
        <Action small kind="primary" off={off} onPress={() => decide([row], 'approved')}>
          Approve…
        </Action>
        <Action small kind="danger" off={sending ? off : row.said === 'rejected' ? 'You have rejected it already.' : ''} onPress={() => decide([row], 'rejected')}>
          Reject…
        </Action>
      </div>
    </li>
  )
}

/** What else is in the way. A freeze tells it by its own reason; of a rule its name is told as well. */
function other({ ruleType, reason }: BoardApproval['others'][number]): string {
  return ruleType === 'freeze' ? reason : `${titleOf(ruleType).toLowerCase()} (${reason})`
}

function spoken(row: BoardApproval): string {
  return `${row.deployment.name} ${row.version.tag} for ${row.environment.name}: ${row.counts} of ${counted(row.needs, 'approval')}, ${counted(row.targets, 'target waits', 'targets wait')}`
}
