/** What differs between a version and another one of its deployment. */
import type { VersionReach, VersionWithDependencies } from '../../api/schema'
import { useQuery } from '../../api/useQuery.ts'
import { Card } from '../../parts/base.tsx'
import { ErrorCard, Skeleton } from '../../parts/say.tsx'
import { counted, listed } from '../../acts/words.ts'
import { href, query, setQuery } from '../../router/location.ts'
import { differences } from './differences.ts'

export function Compare({ version, others }: { version: VersionWithDependencies; others: readonly VersionReach[] }) {
  const wanted = query.value.get('with')
  const older = others.filter((one) => one.version.versionId !== version.id)
  // What runs somewhere is what this one would replace; else the one before it.
  const chosen =
    older.find((one) => one.version.versionId === wanted) ??
    older.find((one) => one.version.createdAt < version.createdAt && one.reach.some((at) => at.running)) ??
    older.find((one) => one.version.createdAt < version.createdAt) ??
    older[0]
  return (
    <Card
      title="Compared"
      id="compare"
      note={
        older.length ? (
          <label class="if">
            <span>with</span>
            <select class="field" value={chosen?.version.versionId ?? ''} onChange={(event) => setQuery({ with: event.currentTarget.value })}>
              {older.map((one) => (
                <option key={one.version.versionId} value={one.version.versionId}>
                  {one.version.tag}
                </option>
              ))}
            </select>
          </label>
        ) : undefined
      }
    >
      {chosen ? <Differences version={version} other={chosen} /> : <p class="in quiet">It is the only version of its deployment so far.</p>}
    </Card>
  )
}

function Differences({ version, other }: { version: VersionWithDependencies; other: VersionReach }) {
  const id = other.version.versionId
  const found = useQuery('/api/v1/workspaces/{workspaceId}/deployment-versions/{deploymentVersionId}', {
    path: { deploymentVersionId: id },
    topics: [`version:${id}`],
  })
  if (found.error.value) {
    return (
      <div class="in">
        <ErrorCard error={found.error.value} what={`${other.version.tag}:`} retry={found.reload} />
      </div>
    )
  }
  const there = found.data.value
  if (!there || there.id !== id) return <div class="in">{found.slow.value ? <Skeleton lines={3} /> : null}</div>
  const all = differences(there, version)
  const runs = other.reach.filter((one) => one.running)
  const where = runs.map((one) => `${counted(one.running, 'target')} in ${one.name}`)
  return (
    <>
      <p class="in quiet compared">
        <a class="mono link" href={href('version', { versionId: id })}>
          {there.tag}
        </a>{' '}
        {where.length ? `runs on ${listed(where)}, which would change.` : 'runs nowhere.'}{' '}
        {all.length ? '' : 'Neither configuration, metadata nor dependencies differ.'}
      </p>
      {all.length ? (
        <div class="scroll-x">
          <table class="table diff">
            <thead>
              <tr>
                <th scope="col">Key</th>
                <th scope="col">{there.tag}</th>
                <th scope="col">{version.tag}</th>
              </tr>
            </thead>
            <tbody>
              {all.map(({ key, before, after }) => (
                <tr key={key}>
                  <th scope="row">
                    <code>{key}</code>
                  </th>
                  <td>{before === undefined ? <span class="quiet">absent</span> : <del>{before}</del>}</td>
                  <td>{after === undefined ? <span class="quiet">absent</span> : <ins>{after}</ins>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </>
  )
}
