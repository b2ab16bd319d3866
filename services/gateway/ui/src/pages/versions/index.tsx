/** All versions, newest first: how each stands, and how far it came. */
import { rows as deployments } from '../../board/board.ts'
import { addressOf, workspaceId } from '../../api/client.ts'
import type { Reach, VersionReach } from '../../api/schema'
import { useCrumbs } from '../../frame/crumbs.ts'
import { useKeys } from '../../frame/keys.ts'
import { Time } from '../../parts/base.tsx'
import { Button } from '../../parts/Button.tsx'
import { List } from '../../parts/List.tsx'
import { Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { Search } from '../../parts/Search.tsx'
import { VersionState } from '../../parts/State.tsx'
import { usePages } from '../../parts/usePages.ts'
import { href, query, setQuery } from '../../router/location.ts'
import './versions.css'

const STATES = ['ready', 'building', 'paused', 'rejected', 'failed', 'unspecified'] as const

export default function Versions() {
  useCrumbs([{ label: 'Versions' }])
  const text = query.value.get('q') ?? ''
  const deploymentId = query.value.get('deployment') ?? ''
  const status = query.value.get('status') ?? ''
  const filtered = Boolean(text || deploymentId || status)
  const found = usePages<VersionReach>(
    (limit, offset) => addressOf('/api/v1/workspaces/{workspaceId}/board/versions', { query: { limit, offset, deploymentId, status, text } }),
    ['versions', 'matrix'],
  )
  useKeys([
    { key: 'j', does: 'the next version' },
    { key: 'k', does: 'the one before' },
    { key: 'Enter', does: 'open it' },
  ])
  const clear = () => setQuery({ q: null, deployment: null, status: null })
  return (
    <div class="fill versions">
      <h1 class="sr">Versions</h1>
      <div class="tools">
        <Search label="Filter by tag, name or deployment" placeholder="Filter by tag, name or deployment" value={text} wait={150} onText={(next) => setQuery({ q: next || null })} />
        <select class="field" aria-label="Deployment" value={deploymentId} onChange={(event) => setQuery({ deployment: event.currentTarget.value || null })}>
          <option value="">all deployments</option>
          {deployments.value.map((one) => (
            <option key={one.id} value={one.id}>
              {one.name}
            </option>
          ))}
        </select>
        <select class="field" aria-label="Status" value={status} onChange={(event) => setQuery({ status: event.currentTarget.value || null })}>
          <option value="">any status</option>
          {STATES.map((one) => (
            <option key={one} value={one}>
              {one === 'unspecified' ? 'no status' : one}
            </option>
          ))}
        </select>
        {found.there ? (
          <span class="quiet small total" role="status">
            {found.count.toLocaleString('en')} {found.count === 1 ? 'version' : 'versions'}
          </span>
        ) : null}
      </div>
      {found.error ? (
        <div class="sheet">
          <ErrorCard error={found.error} what="The versions:" retry={found.reload} />
        </div>
      ) : !found.there ? (
        <div class="sheet">
          <Skeleton lines={14} />
        </div>
      ) : !found.count ? (
        filtered ? (
          <Empty title="No version fits">
            <p>Nothing fits {named(text, deployments.value.find((one) => one.id === deploymentId)?.name ?? '', status)}.</p>
            <Button onPress={clear}>Drop the filter</Button>
          </Empty>
        ) : (
          <First />
        )
      ) : (
        <List
          label="Versions"
          columns={[
            { title: 'Version', width: 'minmax(0, 1.1fr)' },
            { title: 'Status', width: '104px' },
            { title: 'Runs in', width: 'minmax(0, 1.6fr)' },
            { title: 'Made', width: '92px' },
          ]}
          rowHeight={46}
          count={found.count}
          row={found.row}
          onWindow={found.onWindow}
          rowKey={(row) => row.version.versionId}
          link={(row) => href('version', { versionId: row.version.versionId })}
          cells={(row) => [
            <span class="named">
              <b class="mono">{row.version.tag}</b>
              <small>
                {row.deployment.name}
                {row.version.name && row.version.name !== row.version.tag ? ` · ${row.version.name}` : ''}
              </small>
            </span>,
            <VersionState state={row.version.status} />,
            <Reached reach={row.reach} />,
            <Time at={row.version.createdAt} ago />,
          ]}
        />
      )}
    </div>
  )
}

/** A mark for each environment: full where the version runs on all targets, half where on some. */
function Reached({ reach }: { reach: readonly Reach[] }) {
  if (!reach.length) return <span class="quiet">no environment</span>
  return (
    <span class="reached">
      {reach.map((one) => {
        const some = one.running || one.desired
        const said = `${one.name}: runs on ${one.running} of ${one.targets}${one.desired > one.running ? `, ${one.desired - one.running} more to come` : ''}`
        return (
          <span key={one.environmentId} class="at" data-some={some ? '' : undefined} title={said}>
            <i class="tick" data-st={one.running === one.targets ? 'healthy' : some ? 'progressing' : 'pending'} data-full={one.running === one.targets ? '' : undefined} />
            <span>{one.name}</span>
            {some ? (
              <span class="num quiet">
                {one.running}/{one.targets}
              </span>
            ) : (
              <span class="sr">not there</span>
            )}
          </span>
        )
      })}
    </span>
  )
}

function named(text: string, deployment: string, status: string): string {
  return [text ? `“${text}”` : '', deployment ? `versions of ${deployment}` : '', status ? `status ${status}` : ''].filter(Boolean).join(' and ')
}

function First() {
  const id = workspaceId.value
  return (
    <Empty
      title="No versions yet"
      command={`curl -X POST ${location.origin}/api/v1/workspaces/${id}/deployments/DEPLOYMENT/versions \\\n  -H "X-API-Key: $SIGNALBOX_API_KEY" -H "Content-Type: application/json" \\\n  -d '{"tag": "v1.0.0", "name": "v1.0.0", "status": "ready"}'`}
    >
      <p>Each version that your CI posts appears here, with the environments it reached. Post one to see it move:</p>
    </Empty>
  )
}
