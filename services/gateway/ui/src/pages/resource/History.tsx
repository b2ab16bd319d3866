/** What a resource was like, change by change; each line leads to the moment. */
import type { ResourceThen } from '../../api/schema'
import { useQuery } from '../../api/useQuery.ts'
import { Time } from '../../parts/base.tsx'
import { ErrorCard, Skeleton } from '../../parts/say.tsx'
import { href } from '../../router/location.ts'
import { changesOf } from './changes.ts'

const MOST = 50

export function History({ identifier }: { identifier: string }) {
  const asked = useQuery('/api/v1/workspaces/{workspaceId}/resources/identifier/{identifier}/history', { path: { identifier }, query: { limit: MOST }, topics: ['resources'] })
  const found = asked.data.value
  if (asked.error.value) return <ErrorCard error={asked.error.value} what="Its history could not be read." retry={asked.reload} />
  if (!found) return asked.slow.value ? <div class="pad"><Skeleton lines={3} /></div> : null
  const oldest = found.total <= found.items.length
  return (
    <ol class="past-of">
      {found.items.map((one, index) => (
        <Moment key={`${one.updatedAt}${index}`} one={one} before={found.items[index + 1]} first={oldest && index === found.items.length - 1} />
      ))}
      {oldest ? null : <li class="quiet">Older changes are in the event log.</li>}
    </ol>
  )
}

function Moment({ one, before, first }: { one: ResourceThen; before: ResourceThen | undefined; first: boolean }) {
  const changes = changesOf(before, one)
  return (
    <li>
      <div class="when">
        <Time at={one.updatedAt} />
        {one.position ? (
          <a href={href('resource', { identifier: one.identifier }, { at: one.position })}>
            look at it then<span class="sr">: {one.updatedAt}</span>
          </a>
        ) : null}
      </div>
      {first ? <p>Appeared.</p> : changes.length ? null : <p class="quiet">Told again, unchanged.</p>}
      {changes.length ? (
        <dl class="changes">
          {changes.map((change) => (
            <div key={change.path}>
              <dt>
                <code>{change.path}</code>
              </dt>
              <dd>
                {change.before === undefined ? null : <del>{change.before}</del>} {change.after === undefined ? <span class="quiet">removed</span> : <ins>{change.after}</ins>}
              </dd>
            </div>
          ))}
        </dl>
      ) : null}
    </li>
  )
}
