/** A rollout: one version of a deployment in one environment, target by target. */
import { useComputed } from '@preact/signals'
import { askApproval } from '../../acts/approve.tsx'
import { lift, pin, redeploy, rollBack, unpin } from '../../acts/rollout.tsx'
import { askEndSkip, askSkip, canSkip } from '../../acts/skip.tsx'
import { session } from '../../api/client.ts'
import type { Reason } from '../../api/schema'
import { useQuery } from '../../api/useQuery.ts'
import { boardError, boardThere, cells, columns, reloadBoard, rows } from '../../board/board.ts'
import { useTargets } from '../../board/useTargets.ts'
import { useCommands } from '../../frame/commands.ts'
import { useCrumbs } from '../../frame/crumbs.ts'
import { useKeys } from '../../frame/keys.ts'
import { Card, Countdown, Icon, Status } from '../../parts/base.tsx'
import { Action, PAST } from '../../parts/Button.tsx'
import { Menu } from '../../parts/Menu.tsx'
import { Said } from '../../parts/Said.tsx'
import { Empty, ErrorCard, Skeleton, toast } from '../../parts/say.tsx'
import { href, query, setQuery } from '../../router/location.ts'
import { past } from '../../time/moment.ts'
import { Why } from '../../why/Why.tsx'
import { askedOf, offOf } from '../approvals/groups.ts'
import { tagsOf } from '../deployment/Lanes.tsx'
import '../deployment/deployment.css'
import { Progress } from './Progress.tsx'
import './rollout.css'
import { ALL_AT_ONCE, Targets } from './Targets.tsx'
import { turnsOf } from './words.ts'

interface Props {
  deploymentId: string
  environmentId: string
}

export default function RolloutPage({ deploymentId, environmentId }: Props) {
  const line = useComputed(() => rows.value.find((one) => one.id === deploymentId))
  const column = useComputed(() => columns.value.find((one) => one.id === environmentId))
  const cell = cells.get(`${deploymentId}/${environmentId}`)?.value
  const deployment = { id: deploymentId, name: line.value?.name ?? '' }
  const environment = { id: environmentId, name: column.value?.name ?? '' }
  const pair = { deployment, environment }
  const topic = `rollout:${deploymentId}/${environmentId}`

  const list = useQuery('/api/v1/workspaces/{workspaceId}/board/versions', { query: { deploymentId, limit: 50 }, topics: [`deployment:${deploymentId}`] })
  const versions = (list.data.value?.items ?? []).map(({ version }) => ({ versionId: version.versionId, tag: version.tag }))
  const wanted = query.value.get('v') ?? ''
  const due = cell?.heldVersion ?? cell?.desired ?? versions[0] ?? null
  const versionId = wanted || (due?.versionId ?? '')
  const version = versionId ? (versions.find((one) => one.versionId === versionId) ?? (due?.versionId === versionId ? due : { versionId, tag: 'this version' })) : null

  const status = query.value.get('status') ?? ''
  const targets = useTargets({ deploymentId, environmentId, ...(versionId ? { versionId } : {}), status }, ALL_AT_ONCE)
  const path = { deploymentVersionId: versionId, environmentId }
  const topics = [topic, `version:${versionId}`, 'policies', 'freezes']
  const when = versionId !== ''
  const explained = useQuery('/api/v1/workspaces/{workspaceId}/deployment-versions/{deploymentVersionId}/environments/{environmentId}/explanation', { path, query: { limit: 1 }, topics, when })
  const forecast = useQuery('/api/v1/workspaces/{workspaceId}/deployment-versions/{deploymentVersionId}/environments/{environmentId}/forecast', { path, topics, when })
  const asked = useQuery('/api/v1/workspaces/{workspaceId}/board/approvals', { topics: ['approvals'] })
  const approval = asked.data.value?.items.find((one) => one.version.versionId === versionId && one.environment.id === environmentId)
  const rollout = explained.data.value?.versionId === versionId ? explained.data.value : undefined
  const turns = turnsOf(forecast.data.value?.versionId === versionId ? forecast.data.value : undefined)

  useCrumbs([
    { label: 'Deployments', href: href('deployments') },
    { label: deployment.name || 'Deployment', href: href('deployment', { deploymentId }) },
    { label: environment.name || 'Environment' },
  ])

  const count = cell?.targets ?? 0
  const desired = cell?.desired ?? null
  const reach = list.data.value?.items.find((one) => one.version.versionId === versionId)?.reach.find((one) => one.environmentId === environmentId)
  const offBack = !version ? 'There is no version yet.' : reach && !reach.desired ? `No target is on ${version.tag}: there is nothing to roll back from it.` : ''
  const offAgain = !count ? 'There are no targets here.' : desired ? '' : 'Nothing was wanted here yet.'
  const offPin = versions.length ? '' : 'There is no version yet.'
  const offApprove = approval ? offOf(approval, session.value?.user.id ?? '') : 'No approval is waited for here.'
  const doBack = () => version && void rollBack(pair, version)
  const doAgain = () => redeploy(pair, count, cell ? tagsOf(cell) : [])
  const doPin = () => pin(pair, count, versions, cell?.running[0]?.versionId)
  const decide = (as: 'approved' | 'rejected') => {
    const one = approval ? askedOf([approval]) : null
    if (one) askApproval(one, as)
  }
  const live = (does: () => void, off: string) => () => {
    const reason = past.peek() ? PAST : off
    if (reason) toast('pending', reason)
    else does()
  }
  useKeys([
    { key: 'j', does: 'next target; k the one before, Enter opens it' },
    { key: 'r', does: 'deploy again', run: live(doAgain, offAgain) },
    { key: 'b', does: 'roll back this rollout', run: live(doBack, offBack) },
    { key: 'p', does: 'pin to a version', run: live(doPin, offPin) },
    { key: 'y', does: 'approve the version here', run: live(() => decide('approved'), offApprove) },
    { key: 'n', does: 'reject the version here', run: live(() => decide('rejected'), approval ? '' : offApprove) },
  ])
  useCommands([
    { label: `Roll back ${version?.tag ?? ''} in ${environment.name}`, run: live(doBack, offBack) },
    { label: `Deploy ${deployment.name} in ${environment.name} again`, run: live(doAgain, offAgain) },
    { label: `Pin ${deployment.name} in ${environment.name}`, run: live(doPin, offPin) },
  ])

  if (!boardThere.value) {
    return (
      <div class="sheet" aria-busy="true">
        {boardError.value ? <ErrorCard error={boardError.value} what="This rollout:" retry={reloadBoard} /> : <Skeleton lines={12} />}
      </div>
    )
  }
  if (!line.value || !column.value) {
    return (
      <Empty page title={past.value ? 'This was not there then' : `There is no such ${line.value ? 'environment' : 'deployment'}`}>
        <p>
          {past.value ? 'The deployment or the environment was made later, or deleted before.' : 'It was deleted, or the address is of another workspace.'}{' '}
          <a href={href('overview')}>Go to the overview</a>.
        </p>
      </Empty>
    )
  }
  const marked = version ? firstMarked(targets) : false
  const shownStatus = cell?.status ?? 'empty'
  return (
    <div class="sheet rollout">
      <div class="head">
        <h1>
          <a href={href('deployment', { deploymentId })}>{deployment.name}</a> <span class="quiet">in {environment.name}</span>
        </h1>
        <Status status={shownStatus} pill />
        {cell?.pinned ? (
          <span class="tag" title="No other version goes here until the pin is released.">
            <Icon name="pin" /> pinned to {cell.pinned.tag}
          </span>
        ) : null}
        <div class="actions">
          <Action onPress={doAgain} off={offAgain}>
            <Icon name="retry" />
            Deploy again…
          </Action>
          <Action kind="danger" onPress={doBack} off={offBack}>
            <Icon name="back" />
            Roll back{version ? ` ${version.tag}` : ''}…
          </Action>
          <Menu
            label="More actions"
            class="btn square"
            items={[
              { label: 'Pin to a version…', icon: <Icon name="pin" />, onPick: doPin, off: past.value ? PAST : offPin },
              cell?.pinned
                ? { label: 'Release the pin…', onPick: () => unpin(pair, count, cell.pinned?.tag ?? ''), off: past.value ? PAST : '' }
                : { label: 'Release the pin…', off: 'It is not pinned.' },
              { label: `Lift the mark${version ? ` of ${version.tag}` : ''}…`, onPick: () => version && lift(pair, version), off: past.value ? PAST : marked ? '' : 'It is not marked bad on any target that is shown.' },
            ]}
          >
            <Icon name="more" />
          </Menu>
        </div>
      </div>

      <div class="which">
        <label>
          <span>Version</span>
          <select class="field mono" value={versionId} onChange={(event) => setQuery({ v: event.currentTarget.value === due?.versionId ? null : event.currentTarget.value })}>
            {version && !versions.some((one) => one.versionId === versionId) ? <option value={versionId}>{version.tag}</option> : null}
            {versions.map((one) => (
              <option key={one.versionId} value={one.versionId}>
                {one.tag}
                {one.versionId === desired?.versionId ? ' (wanted)' : one.versionId === cell?.heldVersion?.versionId ? ' (held)' : ''}
              </option>
            ))}
          </select>
        </label>
        {version ? (
          <a class="link" href={href('version', { versionId })}>
            About {version.tag}
          </a>
        ) : null}
        <p class="quiet">
          <Said>{cell?.message ?? 'No resource is a target here.'}</Said> {cell?.until ? <Countdown until={cell.until} /> : null}
        </p>
      </div>

      {!version ? (
        list.data.value ? (
          <Empty title="No versions yet">
            <p>
              Once there is a version of {deployment.name}, its way to the targets here is shown. <a href={href('deployment', { deploymentId })}>How to post one</a>.
            </p>
          </Empty>
        ) : null
      ) : explained.error.value ? (
        <ErrorCard error={explained.error.value} what={`Where ${version.tag} stands:`} retry={explained.reload} />
      ) : rollout ? (
        <>
          <Progress rollout={rollout} turns={turns} name={nameOf(targets)} />
          {rollout.reasons.length || rollout.warnings.length ? (
            <Card
              title="Why"
              note={
                approval ? (
                  <span class="decide">
                    <Action small kind="primary" off={offApprove} onPress={() => decide('approved')}>
                      Approve…
                    </Action>
                    <Action small onPress={() => decide('rejected')}>
                      Reject…
                    </Action>
                  </span>
                ) : undefined
              }
            >
              <Why gist={rollout.message} reasons={rollout.reasons} act={actsOf(version, environment, () => lift(pair, version))} />
              {rollout.warnings.map((one) => (
                <p key={one} class="notice">
                  {one}
                </p>
              ))}
            </Card>
          ) : null}
        </>
      ) : (
        <div class="card rollout-ghost">
          <div class="in">{explained.slow.value ? <Skeleton lines={5} /> : null}</div>
        </div>
      )}
      <Targets targets={targets} turns={turns} status={status} environment={environment.name} />
    </div>
  )
}

function firstMarked(targets: ReturnType<typeof useTargets>): boolean {
  for (let index = 0; index < Math.min(targets.count, ALL_AT_ONCE); index += 1) if (targets.row(index)?.verdict === 'marked') return true
  return false
}

function nameOf(targets: ReturnType<typeof useTargets>): (resourceId: string) => string | undefined {
  return (resourceId) => {
    for (let index = 0; index < Math.min(targets.count, ALL_AT_ONCE); index += 1) {
      const row = targets.row(index)
      if (row?.resourceId === resourceId) return row.name || row.identifier
    }
    return undefined
  }
}

function actsOf({ versionId, tag }: { versionId: string; tag: string }, environment: { id: string; name: string }, onLift: () => void) {
  return (reason: Reason) => {
    if (reason.ruleType === 'badMark') {
      return (
        <Action small onPress={onLift}>
          Lift the mark…
        </Action>
      )
    }
    if (reason.skipId) {
      return (
        <Action small onPress={() => askEndSkip(reason, tag)}>
          End the skip…
        </Action>
      )
    }
    if (!canSkip(reason)) return null
    const scopes = [{ label: `all of ${environment.name}`, environmentId: environment.id }, { label: 'every environment' }]
    return (
      <Action small onPress={() => askSkip(reason, { versionId, tag, scopes })}>
        Skip…
      </Action>
    )
  }
}
