/** A deployment: its newest versions, how far each came, and what is before the environments where they are not yet. */
import { useComputed } from '@preact/signals'
import { workspaceId } from '../../api/client.ts'
import type { BoardApproval } from '../../api/schema'
import { type Queried, useQuery } from '../../api/useQuery.ts'
import { cells, columns, rows } from '../../board/board.ts'
import { useCommands } from '../../frame/commands.ts'
import { useCrumbs } from '../../frame/crumbs.ts'
import { useKeys } from '../../frame/keys.ts'
import { Tabs } from '../../parts/Tabs.tsx'
import { Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { go, href, query, setQuery } from '../../router/location.ts'
import { past } from '../../time/moment.ts'
import { Graph } from './Graph.tsx'
import { Lanes, useLaneFocus } from './Lanes.tsx'
import { Policies } from './Policies.tsx'
import type { Place, Shown } from './shown.ts'
import { Table } from './Table.tsx'
import { Variables } from './Variables.tsx'
import { VersionLine } from './VersionLine.tsx'
import { Versions } from './Versions.tsx'
import './deployment.css'

const ON_THE_LINE = 12
const VIEWS = [
  { key: 'lanes', label: 'Lanes' },
  { key: 'graph', label: 'Graph' },
  { key: 'table', label: 'Table' },
] as const

export default function DeploymentPage({ deploymentId }: { deploymentId: string }) {
  const topics = [`deployment:${deploymentId}`]
  const found = useQuery('/api/v1/workspaces/{workspaceId}/deployments/{deploymentId}', { path: { deploymentId }, topics })
  const line = useQuery('/api/v1/workspaces/{workspaceId}/board/versions', { query: { deploymentId, limit: ON_THE_LINE }, topics })
  const gates = useQuery('/api/v1/workspaces/{workspaceId}/deployments/{deploymentId}/gates', { path: { deploymentId }, topics: [...topics, 'policies'] })
  const versions = line.data.value?.items ?? []
  const wanted = query.value.get('v') ?? ''
  const pickedId = wanted || (versions[0]?.version.versionId ?? '')
  const explanation = useQuery('/api/v1/workspaces/{workspaceId}/deployment-versions/{deploymentVersionId}/explanation', {
    path: { deploymentVersionId: pickedId },
    topics: [...topics, 'policies', 'freezes'],
    when: pickedId !== '',
  })
  const asked = useQuery('/api/v1/workspaces/{workspaceId}/board/approvals', { topics: ['approvals'] })
  const places = useComputed(() =>
    columns.value.flatMap((column): Place[] => {
      const cell = cells.get(`${deploymentId}/${column.id}`)?.value
      return cell ? [{ id: column.id, name: column.name, cell }] : []
    }),
  )
  const name = found.data.value?.deployment.name ?? rows.value.find((one) => one.id === deploymentId)?.name ?? ''
  useCrumbs([{ label: 'Deployments', href: href('deployments') }, { label: name || 'Deployment' }])

  const pick = (versionId: string) => setQuery({ v: versionId === versions[0]?.version.versionId ? null : versionId })
  const step = (by: number) => {
    const next = versions[versions.findIndex((one) => one.version.versionId === pickedId) + by]
    if (next) pick(next.version.versionId)
  }
  const focus = useLaneFocus()
  const show = (view: string) => setQuery({ view: view === 'lanes' ? null : view, tab: null })
  useKeys([
    { key: 'j', does: 'next environment', run: () => focus(1) },
    { key: 'k', does: 'environment before', run: () => focus(-1) },
    { key: 'Enter', does: 'open its rollout' },
    { key: 'n', does: 'look at a newer version', run: () => step(-1) },
    { key: 'o', does: 'look at an older version', run: () => step(1) },
    { key: 'v', does: 'go to the version line', run: () => document.querySelector<HTMLElement>('[data-version-line]')?.focus() },
    ...VIEWS.map(({ key, label }, index) => ({ key: String(index + 1), does: `show ${label.toLowerCase()}`, run: () => show(key) })),
  ])
  useCommands(places.value.map((place) => ({ label: `Rollout in ${place.name}`, run: () => go(href('rollout', { deploymentId, environmentId: place.id })) })))

  const error = found.error.value
  if (error?.status === 404) {
    return (
      <Empty page title={past.value ? 'This deployment was not there then' : 'There is no such deployment'}>
        <p>
          {past.value ? 'It was made later, or deleted before.' : 'It was deleted, or the address is of another workspace.'} <a href={href('overview')}>Go to the overview</a>.
        </p>
      </Empty>
    )
  }
  if (error && !found.data.value) {
    return (
      <div class="sheet">
        <ErrorCard error={error} what="This deployment:" retry={found.reload} />
      </div>
    )
  }
  const told = found.data.value
  const first = versions.find((one) => one.version.versionId === pickedId)?.version
  const known = explanation.data.value?.versionId === pickedId ? explanation.data.value : undefined
  const picked = pickedId ? { versionId: pickedId, tag: first?.tag ?? known?.tag ?? 'this version' } : null
  const shown: Shown = {
    deployment: { id: deploymentId, name },
    places: places.value,
    picked,
    choices: versions.map(({ version }) => ({ versionId: version.versionId, tag: version.tag })),
    explanation: known,
    gates: gates.data.value,
    approvals: approvalsOf(asked, pickedId),
  }
  const loading = !told || !line.data.value
  return (
    <div class="sheet deployment" aria-busy={loading ? 'true' : undefined}>
      <div class="head">
        <h1>{name || 'Deployment'}</h1>
        {told?.systems.map((one) => (
          <span key={one.id} class="tag">
            {one.name}
          </span>
        ))}
        {told?.deployment.description ? <p>{told.deployment.description}</p> : null}
      </div>
      {line.error.value ? <ErrorCard error={line.error.value} what="Its versions:" retry={line.reload} /> : null}
      {!line.data.value ? (
        <div class="vline-ghost">{line.slow.value ? <Skeleton lines={2} /> : null}</div>
      ) : versions.length ? (
        <VersionLine versions={versions} total={line.data.value.total} picked={pickedId} onPick={pick} />
      ) : (
        <NoVersions deploymentId={deploymentId} />
      )}
      <div class="parts">
        <Tabs
          label="Parts of the deployment"
          tabs={[
            { key: 'environments', label: 'Environments', count: places.value.length, body: () => <Environments shown={shown} explained={explanation} selector={told?.deployment.resourceSelector} show={show} gatesError={gates} /> },
            { key: 'versions', label: 'Versions', ...(line.data.value ? { count: line.data.value.total } : {}), body: () => (versions.length ? <Versions deploymentId={deploymentId} /> : <NoVersions deploymentId={deploymentId} />) },
            { key: 'variables', label: 'Variables', ...(told ? { count: told.variables.length } : {}), body: () => <Variables deploymentId={deploymentId} /> },
            { key: 'policies', label: 'Policies', ...(gates.data.value ? { count: gates.data.value.policies.length } : {}), body: () => <Policies gates={gates} name={(id) => columns.value.find((one) => one.id === id)?.name ?? 'another environment'} /> },
          ]}
        />
      </div>
    </div>
  )
}

function approvalsOf(asked: Queried<{ items: BoardApproval[] }>, versionId: string): BoardApproval[] {
  return asked.data.value?.items.filter((one) => one.version.versionId === versionId) ?? []
}

interface EnvironmentsProps {
  shown: Shown
  explained: Queried<unknown>
  gatesError: Queried<unknown>
  selector: string | undefined
  show(view: string): void
}

function Environments({ shown, explained, gatesError, selector, show }: EnvironmentsProps) {
  const view = VIEWS.find((one) => one.key === query.value.get('view'))?.key ?? 'lanes'
  if (!shown.places.length) {
    return (
      <Empty title="No environment has targets of this deployment">
        <p>
          A resource is a target where the deployment's selector and an environment's both pick it, in a system that has both. This deployment picks{' '}
          <code>{selector || 'nothing'}</code>.
        </p>
        <p>
          <a href={href('environments')}>Look at the environments</a> or <a href={href('resources')}>at the resources</a>.
        </p>
      </Empty>
    )
  }
  return (
    <>
      <div class="views" role="group" aria-label="How to show the environments">
        {VIEWS.map(({ key, label }) => (
          <button key={key} type="button" class="btn small" aria-pressed={key === view} onClick={() => show(key)}>
            {label}
          </button>
        ))}
        {view === 'table' ? null : (
          <span class="faint small">
            {shown.picked ? (
              <>
                Gates and bars are about <span class="mono">{shown.picked.tag}</span>.
              </>
            ) : null}
          </span>
        )}
      </div>
      {explained.error.value ? <ErrorCard error={explained.error.value} what={`Where ${shown.picked?.tag ?? 'the version'} stands:`} retry={explained.reload} /> : null}
      {gatesError.error.value ? <ErrorCard error={gatesError.error.value} what="Its gates:" retry={gatesError.reload} /> : null}
      {view === 'graph' ? <Graph shown={shown} /> : view === 'table' ? <Table shown={shown} /> : <Lanes shown={shown} />}
    </>
  )
}

function NoVersions({ deploymentId }: { deploymentId: string }) {
  const body = JSON.stringify({ tag: 'v1.0.0', name: 'v1.0.0' })
  return (
    <Empty
      title="No versions yet"
      command={`curl -H "X-API-Key: $SIGNALBOX_API_KEY" -H "Content-Type: application/json" \\\n  -d '${body}' \\\n  ${location.origin}/api/v1/workspaces/${workspaceId.value}/deployments/${deploymentId}/versions`}
    >
      <p>Versions come from your CI: each appears here with the environments it reached. This command posts the first one.</p>
    </Empty>
  )
}
