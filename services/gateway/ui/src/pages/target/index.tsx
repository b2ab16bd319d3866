/** A release target: what runs on a resource, what should, why it does not, and what one can do about it. */
import type { ComponentChildren } from 'preact'
import { addressOf, getFrom } from '../../api/client.ts'
import type { TargetEvent } from '../../api/schema'
import { type Queried, useQuery } from '../../api/useQuery.ts'
import { useCommands } from '../../frame/commands.ts'
import { useCrumbs } from '../../frame/crumbs.ts'
import { useKeys } from '../../frame/keys.ts'
import { Card, Countdown, Icon, Status, Time } from '../../parts/base.tsx'
import { Action, PAST } from '../../parts/Button.tsx'
import { History, type Happening } from '../../parts/History.tsx'
import { Links } from '../../parts/Links.tsx'
import { linksOf } from '../../parts/links.ts'
import { Menu } from '../../parts/Menu.tsx'
import { Said } from '../../parts/Said.tsx'
import { Empty, ErrorCard, Skeleton, toast } from '../../parts/say.tsx'
import { isActive } from '../../parts/states.ts'
import { href } from '../../router/location.ts'
import { past } from '../../time/moment.ts'
import { askApproval } from '../../acts/approve.tsx'
import { askSkip, canSkip } from '../../acts/skip.tsx'
import { standsOf } from '../../acts/words.ts'
import { type Choosable, cancelJob, earlier, liftMark, pin, redeploy, rollBack, unpin, verifyAgain } from './actions.tsx'
import { Because } from './Because.tsx'
import { Checks } from './Checks.tsx'
import { Jobs } from './Jobs.tsx'
import { Marks } from './Marks.tsx'
import { Variables } from './Variables.tsx'
import './target.css'

const BASE = '/api/v1/workspaces/{workspaceId}/release-targets/{releaseTargetKey}' as const

const HISTORY = '/api/v1/workspaces/{workspaceId}/board/targets/{releaseTargetKey}/history' as const

/** Of a release target's key: resource, environment, deployment. */
function idsOf(key: string): [string, string, string] {
  return [key.slice(0, 36), key.slice(37, 73), key.slice(74)]
}

export default function TargetPage({ releaseTargetKey: key }: { releaseTargetKey: string }) {
  const [resourceId, environmentId, deploymentId] = idsOf(key)
  const path = { releaseTargetKey: key }
  const topics = [`target:${key}`]
  const shown = useQuery('/api/v1/workspaces/{workspaceId}/board/targets/{releaseTargetKey}', { path, topics })
  const held = useQuery(`${BASE}/state`, { path, topics })
  const why = useQuery(`${BASE}/explanation`, { path, topics: [...topics, 'policies', 'freezes'] })
  const marks = useQuery(`${BASE}/bad-versions`, { path, topics })
  const jobs = useQuery(`${BASE}/jobs`, { path, query: { limit: 8 }, topics })
  const happened = useQuery(HISTORY, { path, query: { limit: 15 }, topics })
  const versions = useQuery('/api/v1/workspaces/{workspaceId}/deployments/{deploymentId}/versions', {
    path: { deploymentId },
    query: { limit: 50 },
    topics: ['versions'],
  })

  const told = shown.data.value
  const state = held.data.value
  const name = told?.target.name ?? 'Release target'
  const deployment = told?.deployment.name ?? 'deployment'
  const environment = told?.environment.name ?? 'environment'
  useCrumbs([
    { label: 'Deployments', href: href('deployments') },
    { label: deployment, href: href('deployment', { deploymentId }) },
    { label: environment, href: href('rollout', { deploymentId, environmentId }) },
    { label: name },
  ])

  const of = { key, name, deployment }
  const at = { resourceId, name, environmentId, environment, deployment }
  const choices: Choosable[] = (versions.data.value?.items ?? []).map((one) => ({ versionId: one.id, tag: one.tag }))
  const wanted = state?.desiredRelease?.version
  const running = state?.currentRelease?.version
  const job = state?.latestJob?.job
  const agent = job?.dispatchContext?.jobAgent.name ?? 'its agent'
  const verification = state?.latestJob?.verifications[0]
  const first = why.data.value?.versions[0]
  const bad = marks.data.value?.items ?? []
  const back = state ? earlier(choices, state) : []

  const offRedeploy = wanted ? '' : 'Nothing is wanted here yet, so there is nothing to deploy again.'
  const offBack = !wanted ? 'Nothing is wanted here yet, so there is nothing to go back from.' : back.length ? '' : 'There is no other version to go back to.'
  const offPin = choices.length ? '' : versions.data.value ? 'There is no version yet.' : 'The versions are still on their way.'
  const doRedeploy = () => wanted && redeploy(of, wanted.tag, bad.some((one) => one.versionId === wanted.id))
  const doBack = () => wanted && back.length > 0 && rollBack(of, wanted.tag, back, state?.lastGoodRelease?.version.id)
  const doPin = () => choices.length > 0 && pin(of, choices, running?.id)
  const lift = (versionId: string, tag: string) => liftMark(of, { versionId, tag })
  const approve = () => {
    if (first?.reasons.some((one) => one.ruleType === 'anyApproval' && one.verdict !== 'allowed')) {
      askApproval({ ...first, deployment, environments: [{ id: environmentId, name: environment, targets: null, ...standsOf(first.reasons) }] }, 'approved')
    } else toast('pending', 'Nothing here waits for an approval.')
  }
  const skip = () => {
    const rule = first?.reasons.find(canSkip)
    if (!rule || !first) return toast('pending', 'No rule of a policy holds a version here.')
    askSkip(rule, { ...first, scopes: [{ label: name, environmentId, resourceId }, { label: `all of ${environment}`, environmentId }] })
  }
  // A key that can not do anything now says why, as its button does.
  const live = (run: () => unknown, off = '') => () => {
    if (past.peek() || off) toast('pending', past.peek() ? PAST : off)
    else run()
  }
  useKeys([
    { key: 'a', does: 'approve what waits for it', run: live(approve) },
    { key: 's', does: 'skip the first rule that holds', run: live(skip) },
    { key: 'r', does: 'deploy again', run: live(doRedeploy, offRedeploy) },
    { key: 'b', does: 'roll back', run: live(doBack, offBack) },
    { key: 'p', does: 'pin to a version', run: live(doPin, offPin) },
  ])
  useCommands([
    { label: `Deploy ${name} again`, run: live(doRedeploy, offRedeploy) },
    { label: `Roll back ${name}`, run: live(doBack, offBack) },
    { label: `Pin ${name}`, run: live(doPin, offPin) },
  ])

  if (shown.error.value?.status === 404) {
    return (
      <Empty page title={past.value ? 'This was no release target then' : 'This is no release target'}>
        <p>
          A resource is a target where the selectors of a deployment and of an environment both choose it.
          {past.value ? '' : ' Look back in time to see what happened here while it was one.'}
        </p>
        <p>
          <a href={href('rollout', { deploymentId, environmentId })}>The targets of this deployment here</a>
        </p>
      </Empty>
    )
  }
  if (shown.error.value && !told) {
    return (
      <div class="sheet">
        <ErrorCard error={shown.error.value} what="This target:" retry={shown.reload} />
      </div>
    )
  }
  if (!told) {
    return (
      <div class="sheet" aria-busy="true">
        <div class="head target-head">
          <h1 class="ghost-text">Release target</h1>
        </div>
        {shown.slow.value ? <Skeleton lines={12} /> : null}
      </div>
    )
  }
  const { target } = told
  const pinned = state?.pin
  const off = past.value ? PAST : ''
  return (
    <div class="sheet target">
      <div class="head target-head">
        <h1>{name}</h1>
        <Status status={target.status} pill />
        <div class="actions">
          <Action onPress={() => doRedeploy()} off={offRedeploy}>
            <Icon name="retry" />
            {job && ['failure', 'cancelled', 'invalidJobAgent', 'invalidIntegration', 'externalRunNotFound'].includes(job.status) ? 'Retry…' : 'Deploy again…'}
          </Action>
          <Action kind="danger" onPress={() => doBack()} off={offBack}>
            <Icon name="back" />
            Roll back…
          </Action>
          <Menu
            label="More actions"
            class="btn square"
            items={[
              { label: 'Pin to a version…', icon: <Icon name="pin" />, onPick: doPin, off: off || offPin },
              pinned?.scope === 'target'
                ? { label: 'Release the pin…', onPick: () => unpin(of, target.pinned?.tag ?? 'its version'), off }
                : { label: 'Release the pin…', off: pinned ? `The pin is of all of ${environment}: release it on its rollout.` : 'It is not pinned.' },
              {
                label: 'Verify again…',
                onPick: () => verification && verifyAgain(of, verification, job?.dispatchContext?.version?.tag ?? running?.tag ?? 'its version'),
                off: off || (verification ? '' : 'Nothing was verified here.'),
              },
              {
                label: 'Cancel the job…',
                danger: true,
                onPick: () => job && cancelJob(of, { id: job.id, agent, tag: job.dispatchContext?.version?.tag ?? 'its version' }),
                off: off || (job && isActive(job.status) ? '' : 'No job is under way.'),
              },
              null,
              { label: 'All targets of this rollout', href: href('rollout', { deploymentId, environmentId }) },
            ]}
          >
            <Icon name="more" />
          </Menu>
        </div>
        <p>
          <a class="link" href={href('deployment', { deploymentId })}>
            {deployment}
          </a>{' '}
          in{' '}
          <a class="link" href={href('rollout', { deploymentId, environmentId })}>
            {environment}
          </a>{' '}
          on{' '}
          <a class="link" href={href('resource', { identifier: target.identifier })}>
            {target.identifier}
          </a>{' '}
          <span class="tag">{target.kind}</span>
        </p>
      </div>

      <section class="card stand" data-st={target.status} aria-label="How it stands">
        <dl>
          <div>
            <dt>Runs</dt>
            <dd>{target.current ? <VersionLink version={target.current} /> : <span class="quiet">nothing yet</span>}</dd>
          </div>
          <div>
            <dt>Wanted</dt>
            <dd>{target.desired ? <VersionLink version={target.desired} /> : <span class="quiet">nothing yet</span>}</dd>
          </div>
          <div>
            <dt>Pinned</dt>
            <dd>{target.pinned ? <VersionLink version={target.pinned} /> : <span class="quiet">no</span>}</dd>
          </div>
          <div>
            <dt>Since</dt>
            <dd>{target.since ? <Time at={target.since} ago /> : <span class="quiet">–</span>}</dd>
          </div>
        </dl>
        <p class="said">
          <Said>{target.message}</Said>
          {target.until ? (
            <>
              {' '}
              <Countdown until={target.until} label="Until " />
            </>
          ) : null}
          {pinned?.reason ? <span class="quiet"> Pinned because: <Said>{pinned.reason}</Said></span> : null}
        </p>
        {state?.dispatchHold ? <p class="said quiet"><Said>{state.dispatchHold.message}</Said></p> : null}
        <div class="outs">
          <Links links={[...linksOf(running?.metadata ?? {}), ...linksOf(job?.metadata ?? {})]} />
        </div>
      </section>

      <div class="cols">
        <div>
          <Part query={why} what="Why it stands so:" lines={6}>
            {(one) => <Because why={one} at={at} targetKey={key} versions={choices} lift={lift} />}
          </Part>
          <Part query={happened} what="What happened:" lines={10}>
            {(one) => (
              <Card title="What happened">
                <History items={one.items.map(happening)} before={one.before} older={(before) => olderOf(key, before)} />
              </Card>
            )}
          </Part>
        </div>
        <div>
          {held.error.value ? <ErrorCard error={held.error.value} what="Its releases:" retry={held.reload} /> : null}
          {state?.latestJob?.verifications.length ? (
            <Checks verifications={state.latestJob.verifications} tag={job?.dispatchContext?.version?.tag ?? running?.tag ?? ''} of={of} />
          ) : null}
          <Part query={jobs} what="Its jobs:" lines={4}>
            {(one) => <Jobs jobs={one.items} total={one.total} of={of} />}
          </Part>
          <Marks marks={bad} lift={(mark) => liftMark(of, mark)} />
          {state ? <Variables state={state} /> : null}
        </div>
      </div>
    </div>
  )
}

function VersionLink({ version }: { version: { versionId: string; tag: string } }) {
  return (
    <a class="mono link" href={href('version', { versionId: version.versionId })}>
      {version.tag}
    </a>
  )
}

/** A part of the page that is read by itself: when it fails the others stay. */
function Part<T>({ query, what, lines, children }: { query: Queried<T>; what: string; lines: number; children(data: T): ComponentChildren }) {
  const data = query.data.value
  if (query.error.value) return <ErrorCard error={query.error.value} what={what} retry={query.reload} />
  if (data === undefined) {
    return (
      <section class="card" aria-busy="true">
        <div class="in">
          <Skeleton lines={lines} />
        </div>
      </section>
    )
  }
  return <>{children(data)}</>
}

function happening(one: TargetEvent): Happening {
  return {
    position: one.position,
    time: one.time,
    status: one.status,
    what: one.jobId ? <a href={href('job', { jobId: one.jobId })}>{one.what}</a> : one.what,
    message: one.message,
    ...(one.by.startsWith('service:') ? {} : { by: one.by }),
  }
}

async function olderOf(key: string, before: number): Promise<{ items: Happening[]; before: number }> {
  const address = addressOf(HISTORY, { path: { releaseTargetKey: key }, query: { limit: 50, before } })
  const page = await getFrom<{ items: TargetEvent[]; before: number }>(address)
  return { items: page.items.map(happening), before: page.before }
}
