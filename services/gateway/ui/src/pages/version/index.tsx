/** A version: what it is, how far it came and why not further, and what it changes. */
import { askApproval } from '../../acts/approve.tsx'
import { askEndSkip, askSkip, canSkip } from '../../acts/skip.tsx'
import { standsOf } from '../../acts/words.ts'
import type { Reason, VersionWithDependencies } from '../../api/schema'
import { useQuery } from '../../api/useQuery.ts'
import { columns, rows as deployments } from '../../board/board.ts'
import { useCommands } from '../../frame/commands.ts'
import { useCrumbs } from '../../frame/crumbs.ts'
import { useKeys } from '../../frame/keys.ts'
import { Card, Glyph, Icon, Time } from '../../parts/base.tsx'
import { Action, PAST } from '../../parts/Button.tsx'
import { Links } from '../../parts/Links.tsx'
import { linksOf } from '../../parts/links.ts'
import { Menu } from '../../parts/Menu.tsx'
import { Said } from '../../parts/Said.tsx'
import { Empty, ErrorCard, Skeleton, toast } from '../../parts/say.tsx'
import { VersionState } from '../../parts/State.tsx'
import { Viewer } from '../../parts/Viewer.tsx'
import { href, query } from '../../router/location.ts'
import { past } from '../../time/moment.ts'
import { Why } from '../../why/Why.tsx'
import { Compare } from './Compare.tsx'
import { liftEverywhere, setStatus } from './status.tsx'
import { type Stage, Strip } from './Strip.tsx'
import { CHANGES, standingOf } from './words.ts'
import './version.css'

export default function VersionPage({ versionId }: { versionId: string }) {
  const path = { deploymentVersionId: versionId }
  const topics = [`version:${versionId}`]
  const found = useQuery('/api/v1/workspaces/{workspaceId}/deployment-versions/{deploymentVersionId}', { path, topics })
  const why = useQuery('/api/v1/workspaces/{workspaceId}/deployment-versions/{deploymentVersionId}/explanation', {
    path,
    topics: [...topics, 'policies', 'freezes', 'approvals'],
  })
  const version = found.data.value
  const deploymentId = version?.deploymentId ?? ''
  const others = useQuery('/api/v1/workspaces/{workspaceId}/board/versions', {
    query: { deploymentId, limit: 50 },
    topics: ['versions', ...(deploymentId ? [`deployment:${deploymentId}`] : [])],
    when: deploymentId !== '',
  })
  const deployment = deployments.value.find((one) => one.id === deploymentId)?.name ?? ''
  useCrumbs([
    { label: 'Versions', href: href('versions') },
    ...(deployment ? [{ label: deployment, href: href('deployment', { deploymentId }) }] : []),
    { label: version?.tag ?? 'Version' },
  ])

  const rollouts = why.data.value?.rollouts ?? []
  const stages: Stage[] = columns.value.flatMap(({ id, name }) => {
    const rollout = rollouts.find((one) => one.environmentId === id)
    return rollout ? [{ name, rollout }] : []
  })
  const wanted = query.value.get('env')
  const chosen =
    stages.find((one) => one.rollout.environmentId === wanted) ??
    stages.find((one) => ['blocked', 'pending'].includes(standingOf(one.rollout))) ??
    stages.find((one) => standingOf(one.rollout) === 'progressing') ??
    stages.at(-1)

  const approve = (status: 'approved' | 'rejected') => {
    if (!version || !chosen) return
    const { rollout, name } = chosen
    const open = rollout.reasons.find((one) => one.ruleType === 'anyApproval' && one.verdict !== 'allowed')
    if (!open) return toast('pending', `${version.tag} waits for no approval in ${name}.`)
    const environments = [{ id: rollout.environmentId, name, targets: rollout.waiting + rollout.blocked, ...standsOf(rollout.reasons) }]
    askApproval({ versionId, tag: version.tag, deployment, environments }, status)
  }
  const change = (status: string) => {
    const one = CHANGES.find((other) => other.status === status)
    if (version && one) setStatus(one, { id: versionId, tag: version.tag, name: deployment }, rollouts)
  }
  const live = (run: () => void) => () => {
    if (past.peek()) toast('pending', PAST)
    else run()
  }
  useKeys([
    { key: 'a', does: 'approve it where it waits', run: live(() => approve('approved')) },
    { key: 'b', does: 'mark it bad', run: live(() => change('rejected')) },
    { key: 'c', does: 'compare it with another', run: () => document.querySelector<HTMLElement>('#compare select')?.focus() },
  ])
  useCommands(CHANGES.map((one) => ({ label: `${one.label}: ${version?.tag ?? ''}`, run: live(() => change(one.status)) })))

  if (found.error.value?.status === 404) {
    return (
      <Empty page title={past.value ? 'This version was not there yet' : 'There is no such version'}>
        <p>
          <a href={href('versions')}>All versions</a>
        </p>
      </Empty>
    )
  }
  if (found.error.value && !version) {
    return (
      <div class="sheet">
        <ErrorCard error={found.error.value} what="This version:" retry={found.reload} />
      </div>
    )
  }
  if (!version) {
    return (
      <div class="sheet" aria-busy="true">
        <h1 class="ghost-text">Version</h1>
        {found.slow.value ? <Skeleton lines={12} /> : null}
      </div>
    )
  }
  const acts = (reason: Reason) => {
    if (!chosen) return null
    const { rollout, name } = chosen
    if (reason.skipId) {
      return (
        <Action small onPress={() => askEndSkip(reason, version.tag)}>
          End the skip…
        </Action>
      )
    }
    return (
      <>
        {reason.ruleType === 'anyApproval' ? (
          <>
            <Action small kind="primary" onPress={() => approve('approved')}>
              Approve…
            </Action>
            <Action small kind="danger" onPress={() => approve('rejected')}>
              Reject…
            </Action>
          </>
        ) : null}
        {reason.ruleType === 'badMark' ? (
          <Action small onPress={() => liftEverywhere({ id: versionId, tag: version.tag, deploymentId }, { id: rollout.environmentId, name }, rollout.blocked)}>
            Lift the mark…
          </Action>
        ) : null}
        {canSkip(reason) ? (
          <Action
            small
            onPress={() =>
              askSkip(reason, {
                versionId,
                tag: version.tag,
                scopes: [{ label: `all of ${name}`, environmentId: rollout.environmentId }, { label: 'all environments' }],
              })
            }
          >
            Skip…
          </Action>
        ) : null}
      </>
    )
  }
  const links = linksOf(version.metadata)
  const off = past.value ? PAST : ''
  return (
    <div class="sheet version">
      <div class="head">
        <h1>
          {deployment ? `${deployment} ` : ''}
          <span class="mono">{version.tag}</span>
        </h1>
        <VersionState state={version.status} pill />
        <div class="actions">
          <Menu
            label="Change its status"
            class="btn"
            items={CHANGES.map((one) => ({
              label: `${one.label}…`,
              danger: one.danger,
              onPick: () => change(one.status),
              off: off || (version.status === one.status ? `It is ${one.status} already.` : ''),
            }))}
          >
            Status <Icon name="down" />
          </Menu>
        </div>
        <p>
          {version.name && version.name !== version.tag ? `${version.name} · ` : ''}
          made <Time at={version.createdAt} ago /> (<Time at={version.createdAt} />)
          {version.message ? (
            <>
              {' '}
              · <Said>{version.message}</Said>
            </>
          ) : null}
        </p>
        {links.length ? (
          <p class="outs">
            <Links links={links} />
          </p>
        ) : null}
      </div>

      {why.error.value ? (
        <ErrorCard error={why.error.value} what="Where it stands:" retry={why.reload} />
      ) : !why.data.value ? (
        <section class="card" aria-busy="true">
          <div class="in">
            <Skeleton lines={7} />
          </div>
        </section>
      ) : stages.length && chosen ? (
        <section class="card reach" aria-label="How far it came">
          <Strip stages={stages} chosen={chosen.rollout.environmentId} />
          <div id="stage-why" role="tabpanel" aria-labelledby={`stage-${chosen.rollout.environmentId}`}>
            {chosen.rollout.reasons.length ? (
              <Why gist={chosen.rollout.message} reasons={chosen.rollout.reasons} act={acts} />
            ) : (
              <p class="in fine" data-st={standingOf(chosen.rollout)}>
                <Glyph status={standingOf(chosen.rollout)} />
                <Said>{chosen.rollout.message}</Said>
              </p>
            )}
            {chosen.rollout.warnings.map((one) => (
              <p key={one} class="notice">
                {one}
              </p>
            ))}
            <p class="to-rollout">
              <a class="link" href={href('rollout', { deploymentId, environmentId: chosen.rollout.environmentId }, { v: versionId })}>
                Its targets in {chosen.name}
              </a>
            </p>
          </div>
        </section>
      ) : (
        <Empty title="It goes nowhere">
          <p>No environment beside {deployment || 'its deployment'} has a target. An environment shares a system with the deployment, and both choose resources.</p>
        </Empty>
      )}

      <div class="cols">
        <div>
          <Compare version={version} others={others.data.value?.items ?? []} />
        </div>
        <div>
          <Metadata version={version} />
        </div>
      </div>
    </div>
  )
}

function Metadata({ version }: { version: VersionWithDependencies }) {
  const keys = Object.keys(version.metadata).sort()
  const dependencies = Object.entries(version.dependencies as Record<string, { versionSelector: string }>)
  return (
    <>
      <Card title="Metadata">
        {keys.length ? (
          <dl class="facts in">
            {keys.map((key) => (
              <>
                <dt key={key}>{key}</dt>
                <dd>{version.metadata[key]}</dd>
              </>
            ))}
          </dl>
        ) : (
          <p class="in quiet">None was posted with it.</p>
        )}
      </Card>
      {dependencies.length ? (
        <Card title="Needs on the same resource">
          <dl class="facts in">
            {dependencies.map(([id, { versionSelector }]) => (
              <>
                <dt key={id}>
                  <a class="link" href={href('deployment', { deploymentId: id })}>
                    {deployments.value.find((one) => one.id === id)?.name ?? id}
                  </a>
                </dt>
                <dd>
                  <code>{versionSelector}</code>
                </dd>
              </>
            ))}
          </dl>
        </Card>
      ) : null}
      {Object.keys(version.config).length ? (
        <Card title="Configuration">
          <Viewer value={version.config} label="Configuration" />
        </Card>
      ) : null}
      {Object.keys(version.jobAgentConfig).length ? (
        <Card title="For the job agent">
          <Viewer value={version.jobAgentConfig} label="For the job agent" />
        </Card>
      ) : null}
    </>
  )
}
