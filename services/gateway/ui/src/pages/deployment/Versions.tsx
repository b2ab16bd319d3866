/** All versions of a deployment, and how far each came. */
import { addressOf } from '../../api/client.ts'
import type { VersionReach } from '../../api/schema'
import { Time } from '../../parts/base.tsx'
import { List, type Look } from '../../parts/List.tsx'
import { Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { Search } from '../../parts/Search.tsx'
import { VersionState } from '../../parts/State.tsx'
import { usePages } from '../../parts/usePages.ts'
import { Button } from '../../parts/Button.tsx'
import { href, query, setQuery } from '../../router/location.ts'
import { farOf, reachWords } from './words.ts'

const WIDE: Look<VersionReach> = {
  columns: [
    { title: 'Version', width: 'minmax(0, 1.2fr)' },
    { title: 'Status', width: '120px' },
    { title: 'Made', width: '120px' },
    { title: 'Runs in', width: 'minmax(0, 3fr)' },
  ],
  cells: (one) => [
    ...slimCells(one),
    <span key="r" class="reach-cell" title={reachWords(one.reach)}>
      {one.reach.filter((place) => place.targets).map((place) => (
        <span key={place.environmentId} data-far={farOf(place)}>
          <i /> {place.name} <span class="num">{place.running ? `${place.running}/${place.targets}` : '–'}</span>
        </span>
      ))}
    </span>,
  ],
}
const SLIM: Look<VersionReach> = {
  columns: [
    { title: 'Version', width: 'minmax(0, 1fr)' },
    { title: 'Status', width: '96px' },
    { title: 'Made', width: '72px' },
  ],
  cells: slimCells,
}

function slimCells({ version }: VersionReach) {
  return [
    <span key="t">
      <span class="mono">{version.tag}</span>
      {version.name && version.name !== version.tag ? <span class="faint"> {version.name}</span> : null}
    </span>,
    <VersionState key="s" state={version.status} />,
    <Time key="w" at={version.createdAt} ago />,
  ]
}

export function Versions({ deploymentId }: { deploymentId: string }) {
  const text = query.value.get('q') ?? ''
  const pages = usePages<VersionReach>(
    (limit, offset) => addressOf('/api/v1/workspaces/{workspaceId}/board/versions', { query: { deploymentId, text, limit, offset } }),
    [`deployment:${deploymentId}`],
  )
  const rows = Math.min(14, pages.count || 6)
  return (
    <div class="versions-tab">
      <Search label="Filter versions" placeholder="Filter by tag or name" value={text} wait={150} onText={(next) => setQuery({ q: next || null })} />
      {pages.error ? <ErrorCard error={pages.error} what="Its versions:" retry={pages.reload} /> : null}
      {!pages.there ? (
        pages.error ? null : <Skeleton lines={8} />
      ) : !pages.count ? (
        <Empty title="No version fits this filter">
          <p>
            Nothing contains <code>{text}</code>.
          </p>
          <p>
            <Button onPress={() => setQuery({ q: null })}>Show every version</Button>
          </p>
        </Empty>
      ) : (
        <div class="card tall" style={{ '--tall': String(rows * 34 + 34) }}>
          <List
            label="Versions"
            {...WIDE}
            slim={SLIM}
            count={pages.count}
            row={pages.row}
            onWindow={pages.onWindow}
            rowKey={(one) => one.version.versionId}
            link={(one) => href('version', { versionId: one.version.versionId })}
          />
        </div>
      )}
    </div>
  )
}
