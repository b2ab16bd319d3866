/** What a resource is related to, both ways: as a small graph and as a list. */
import { useQuery } from '../../api/useQuery.ts'
import type { ResourceRelation } from '../../api/schema'
import { counted } from '../../acts/words.ts'
import { Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { href } from '../../router/location.ts'

const MOST = 200
/** That are drawn on one side; the list has all. */
const DRAWN = 8
const ROW = 44

export function Relations({ identifier, name, narrow = false }: { identifier: string; name: string; narrow?: boolean }) {
  const asked = useQuery('/api/v1/workspaces/{workspaceId}/resources/identifier/{identifier}/relations', { path: { identifier }, query: { limit: MOST }, topics: ['resources'] })
  const found = asked.data.value
  if (asked.error.value) return <ErrorCard error={asked.error.value} what="Its relations could not be read." retry={asked.reload} />
  if (!found) return asked.slow.value ? <div class="pad"><Skeleton lines={3} /></div> : null
  if (!found.items.length) {
    return (
      <Empty title="Related to nothing">
        <p>Relationship rules relate resources, deployments and environments with one another: a cluster with its network, a service with its database.</p>
      </Empty>
    )
  }
  const to = found.items.filter((one) => one.direction === 'to')
  const from = found.items.filter((one) => one.direction === 'from')
  return (
    <>
      {narrow ? null : <Graph name={name} from={from} to={to} />}
      <Side title="Refers to" some={to} />
      <Side title="Referred to by" some={from} />
      {found.total > found.items.length ? <p class="quiet pad">{found.total - found.items.length} more are not shown.</p> : null}
    </>
  )
}

function addressOf({ entity }: ResourceRelation): string {
  if (entity.type === 'resource') return href('resource', { identifier: entity.identifier ?? '' })
  return entity.type === 'deployment' ? href('deployment', { deploymentId: entity.id }) : href('environments')
}

function Side({ title, some }: { title: string; some: readonly ResourceRelation[] }) {
  if (!some.length) return null
  return (
    <div class="relations">
      <h3>
        {title} <span class="quiet num">{some.length}</span>
      </h3>
      <ul>
        {some.map((one) => (
          <li key={one.rule.id + one.entity.id}>
            <a href={addressOf(one)}>{one.entity.name}</a>
            <span class="quiet">{one.entity.kind ?? one.entity.type}</span>
            <span class="tag" title={`Rule “${one.rule.name}”`}>
              {one.rule.reference}
            </span>
          </li>
        ))}
      </ul>
    </div>
  )
}

/** Who refers to it on the left, what it refers to on the right; lines are drawn, nodes are links. */
function Graph({ name, from, to }: { name: string; from: readonly ResourceRelation[]; to: readonly ResourceRelation[] }) {
  const left = from.slice(0, DRAWN)
  const right = to.slice(0, DRAWN)
  const lines = Math.max(left.length + (from.length > DRAWN ? 1 : 0), right.length + (to.length > DRAWN ? 1 : 0), 1)
  const height = lines * ROW
  const y = (index: number, count: number) => (height / (count || 1)) * (index + 0.5)
  const edge = (x0: number, y0: number, x1: number, y1: number) => `M ${x0} ${y0} C ${(x0 + x1) / 2} ${y0}, ${(x0 + x1) / 2} ${y1}, ${x1} ${y1}`
  const ends = (some: readonly ResourceRelation[], all: readonly ResourceRelation[], title: string) => (
    <ul aria-label={title}>
      {some.map((one) => (
        <li key={one.rule.id + one.entity.id}>
          <a href={addressOf(one)} title={`${one.entity.name}: ${one.rule.reference}`}>
            <b class="cut">{one.entity.name}</b>
            <small class="cut">
              {one.rule.reference} · {one.entity.kind ?? one.entity.type}
            </small>
          </a>
        </li>
      ))}
      {all.length > some.length ? <li class="quiet">and {counted(all.length - some.length, 'other')}</li> : null}
    </ul>
  )
  const counts = [left.length + (from.length > left.length ? 1 : 0), right.length + (to.length > right.length ? 1 : 0)] as const
  return (
    <div class="relation-graph" data-from={from.length} data-to={to.length} style={{ '--tall': String(height) }}>
      {left.length ? (
        <>
          {ends(left, from, 'Referred to by')}
          <Edges paths={left.map((_, index) => edge(0, y(index, counts[0]), 100, height / 2))} height={height} />
        </>
      ) : null}
      <div class="here">
        <b class="cut">{name}</b>
      </div>
      {right.length ? (
        <>
          <Edges paths={right.map((_, index) => edge(0, height / 2, 100, y(index, counts[1])))} height={height} />
          {ends(right, to, 'Refers to')}
        </>
      ) : null}
    </div>
  )
}

function Edges({ paths, height }: { paths: readonly string[]; height: number }) {
  return (
    <svg viewBox={`0 0 100 ${height}`} preserveAspectRatio="none" aria-hidden="true">
      {paths.map((path, index) => (
        <path key={index} d={path} />
      ))}
    </svg>
  )
}
