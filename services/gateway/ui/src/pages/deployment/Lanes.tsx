/** The environments left to right, in the order in which versions pass them, with the gates between them. */
import { useRef } from 'preact/hooks'
import { askApproval } from '../../acts/approve.tsx'
import { pin, redeploy, rollBack, unpin } from '../../acts/rollout.tsx'
import type { BoardApproval, BoardTarget } from '../../api/schema'
import { session } from '../../api/client.ts'
import { useTargets } from '../../board/useTargets.ts'
import type { Cell } from '../../board/types.ts'
import { ROW, rowOf } from '../../frame/density.ts'
import { Bar, Countdown, Glyph, Icon, Status } from '../../parts/base.tsx'
import { Action, PAST } from '../../parts/Button.tsx'
import { List } from '../../parts/List.tsx'
import { Menu } from '../../parts/Menu.tsx'
import { Said, said } from '../../parts/Said.tsx'
import { ErrorCard, Skeleton } from '../../parts/say.tsx'
import { href } from '../../router/location.ts'
import { past } from '../../time/moment.ts'
import { askedOf, offOf } from '../approvals/groups.ts'
import type { Place, Shown } from './shown.ts'
import { type GateLine, gateOf, standingOf } from './words.ts'

const MOST_ROWS = 8

export function Lanes({ shown }: { shown: Shown }) {
  return (
    <ol class="lanes" aria-label="Environments, in the order in which versions pass them">
      {shown.places.map((place, index) => (
        <li key={place.id} class="stage">
          {index || linesOf(shown, place).length ? <Gate shown={shown} place={place} /> : null}
          <Lane shown={shown} place={place} />
        </li>
      ))}
    </ol>
  )
}

/** What is before an environment. */
function Gate({ shown, place }: { shown: Shown; place: Place }) {
  const lines = linesOf(shown, place)
  const ask = shown.approvals.find((one) => one.environment.id === place.id)
  const holds = lines.filter((one) => one.reason !== null)
  return (
    <section class="gate" aria-label={`Before ${place.name}`} data-open={holds.length ? '' : undefined}>
      {lines.length ? (
        <ul>
          {lines.map((line) => (
            <li key={line.key} data-st={line.status} title={said(line.text)}>
              <Glyph status={line.status} />
              <span>
                {line.title}
                <span class="sr">: {said(line.text)}</span>
              </span>
              {line.until ? <Countdown until={line.until} label={`${line.title}: `} small /> : null}
              {line.reason ? (
                <p>
                  <Said>{line.text}</Said>
                </p>
              ) : null}
            </li>
          ))}
        </ul>
      ) : (
        <p class="faint small">nothing to pass</p>
      )}
      {ask && holds.length ? <Approve row={ask} /> : null}
      <span class="flow" aria-hidden="true" />
    </section>
  )
}

export function linesOf({ explanation, gates }: Shown, place: Place): GateLine[] {
  const rollout = explanation?.rollouts.find((one) => one.environmentId === place.id)
  const gated = gates?.items.find((one) => one.environmentId === place.id)
  return gateOf(rollout?.reasons ?? [], gated, gates?.policies ?? [], (rollout?.done ?? 0) > 0)
}

export function Approve({ row }: { row: BoardApproval }) {
  const off = offOf(row, session.value?.user.id ?? '')
  const ask = (status: 'approved' | 'rejected') => {
    const asked = askedOf([row])
    if (asked) askApproval(asked, status)
  }
  return (
    <div class="decide">
      <Action small kind="primary" off={off} onPress={() => ask('approved')}>
        Approve…
      </Action>
      <Action small onPress={() => ask('rejected')}>
        Reject…
      </Action>
    </div>
  )
}

function Lane({ shown, place }: { shown: Shown; place: Place }) {
  const { cell } = place
  const rollout = shown.explanation?.rollouts.find((one) => one.environmentId === place.id)
  const standing = standingOf(rollout)
  const to = href('rollout', { deploymentId: shown.deployment.id, environmentId: place.id }, shown.picked ? { v: shown.picked.versionId } : {})
  return (
    <section class="lane card" aria-label={place.name} data-st={cell.status}>
      <header>
        <h2 class="cut">
          <a href={to}>{place.name}</a>
        </h2>
        <Status status={cell.status} />
        <LaneMenu shown={shown} place={place} />
      </header>
      <div class="lane-head">
        <p class="cell-says" title={said(cell.message)}>
          {cell.status === 'empty' ? 'No resource is a target here.' : <Said>{cell.message}</Said>}
          {cell.until ? (
            <>
              {' '}
              <Countdown until={cell.until} />
            </>
          ) : null}
        </p>
        {shown.picked ? (
          <p class="picked-says" data-st={standing.status}>
            <Glyph status={standing.status} />
            <span class="mono">{shown.picked.tag}</span> <span>{rollout ? standing.text : '…'}</span>
          </p>
        ) : null}
        <Bar done={rollout?.done ?? cell.done} all={rollout?.total ?? cell.targets} status={standing.status === 'empty' ? cell.status : standing.status} />
      </div>
      {cell.targets ? <LaneTargets shown={shown} place={place} /> : null}
    </section>
  )
}

function LaneTargets({ shown, place }: { shown: Shown; place: Place }) {
  const targets = useTargets({ deploymentId: shown.deployment.id, environmentId: place.id })
  const rows = Math.min(MOST_ROWS, targets.there ? targets.count : place.cell.targets)
  const height = rows * rowOf(ROW) + 33
  if (targets.error && !targets.there) return <ErrorCard error={targets.error} what="Its targets:" retry={targets.reload} />
  return (
    <div class="lane-targets" style={{ '--tall': String(height) }}>
      {targets.there ? (
        <List
          label={`Targets in ${place.name}`}
          columns={[
            { title: 'Target', width: 'minmax(0, 1fr)' },
            { title: 'Runs', width: 'minmax(0, 124px)' },
          ]}
          count={targets.count}
          row={targets.row}
          onWindow={targets.onWindow}
          rowKey={(one) => one.key}
          link={(one) => href('target', { releaseTargetKey: one.key })}
          status={(one) => one.status}
          cells={(one) => [<TargetName key="n" target={one} />, <Moves key="m" target={one} />]}
        />
      ) : (
        <div class="in">
          <Skeleton lines={rows} />
        </div>
      )}
    </div>
  )
}

/** A target's name behind the shape of its status. */
export function TargetName({ target }: { target: BoardTarget }) {
  return (
    <span class="tname" data-st={target.status} title={said(target.message)}>
      <Glyph status={target.status} />
      <span class="cut">{target.name || target.identifier}</span>
      <span class="sr">
        {target.status}
        {target.reason ? `, ${target.reason}` : ''}
      </span>
    </span>
  )
}

/** What runs, and what is to run if that is something else. */
export function Moves({ target }: { target: BoardTarget }) {
  const { current, desired } = target
  if (desired && current?.versionId !== desired.versionId) {
    return (
      <span class="mono moves">
        {current ? `${current.tag} → ` : ''}
        <b>{desired.tag}</b>
      </span>
    )
  }
  return <span class="mono moves">{current?.tag ?? '–'}</span>
}

function LaneMenu({ shown, place }: { shown: Shown; place: Place }) {
  const { cell } = place
  const pair = { deployment: shown.deployment, environment: { id: place.id, name: place.name } }
  const off = past.value ? PAST : ''
  const none = cell.targets ? '' : 'It has no target.'
  const wanted = cell.desired
  return (
    <Menu
      label={`Actions for ${place.name}`}
      class="btn bare square small"
      items={[
        { label: wanted ? `Roll back ${wanted.tag}…` : 'Roll back…', icon: <Icon name="back" />, danger: true, off: off || (wanted ? '' : 'Nothing was wanted here yet.'), onPick: () => void rollBack(pair, wanted ?? undefined) },
        { label: 'Deploy again…', icon: <Icon name="retry" />, off: off || none || (wanted ? '' : 'Nothing was wanted here yet.'), onPick: () => redeploy(pair, cell.targets, tagsOf(cell)) },
        { label: 'Pin to a version…', icon: <Icon name="pin" />, off: off || (shown.choices.length ? '' : 'There is no version yet.'), onPick: () => pin(pair, cell.targets, shown.choices, cell.running[0]?.versionId) },
        cell.pinned
          ? { label: 'Release the pin…', off, onPick: () => unpin(pair, cell.targets, cell.pinned?.tag ?? '') }
          : { label: 'Release the pin…', off: 'It is not pinned.' },
      ]}
    >
      <Icon name="more" />
    </Menu>
  )
}

/** The version that all are to run; none where there are several. */
export function tagsOf(cell: Cell): string[] {
  return cell.desired && cell.running.every((one) => one.versionId === cell.desired?.versionId) ? [cell.desired.tag] : []
}

/** Keys of the lanes: from one to the next. */
export function useLaneFocus(): (by: number) => void {
  const last = useRef(-1)
  return (by) => {
    const lanes = [...document.querySelectorAll<HTMLElement>('.lane, .graph-node, .stage-row')]
    const here = lanes.findIndex((one) => one.contains(document.activeElement))
    last.current = Math.max(0, Math.min(lanes.length - 1, (here < 0 ? last.current : here) + by))
    const lane = lanes[last.current]
    const link = lane instanceof HTMLAnchorElement ? lane : lane?.querySelector<HTMLElement>('a')
    link?.focus()
    lane?.scrollIntoView({ block: 'nearest', inline: 'nearest' })
  }
}
