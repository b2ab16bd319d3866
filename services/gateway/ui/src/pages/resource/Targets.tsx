/** Where a resource is a release target: what should run, what runs, how its newest job stands. */
import { useComputed } from '@preact/signals'
import { useLayoutEffect } from 'preact/hooks'
import { useQuery } from '../../api/useQuery.ts'
import { columns, rows, useOfBoard } from '../../board/board.ts'
import { Icon } from '../../parts/base.tsx'
import { JobState } from '../../parts/State.tsx'
import { Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { href } from '../../router/location.ts'

export const TARGETS = '/api/v1/workspaces/{workspaceId}/resources/identifier/{identifier}/release-targets'
const MOST = 200

export function Targets({ identifier }: { identifier: string }) {
  useLayoutEffect(() => useOfBoard(), [])
  const names = useComputed(() => new Map([...rows.value, ...columns.value].map((one) => [one.id, one.name])))
  const asked = useQuery(TARGETS, { path: { identifier }, query: { limit: MOST }, topics: ['matrix'] })
  const found = asked.data.value
  if (asked.error.value) return <ErrorCard error={asked.error.value} what="Its release targets could not be read." retry={asked.reload} />
  if (!found) return asked.slow.value ? <div class="pad"><Skeleton lines={4} /></div> : null
  if (!found.items.length) {
    return (
      <Empty title="Nothing is deployed here">
        <p>A resource is a target where the selector of a deployment and that of an environment in the same system pick it.</p>
      </Empty>
    )
  }
  const name = (id: string) => names.value.get(id) ?? id.slice(0, 8)
  return (
    <div class="scroll-x">
      <table class="table">
        <thead>
          <tr>
            <th scope="col">Target</th>
            <th scope="col">Runs</th>
            <th scope="col">Newest job</th>
          </tr>
        </thead>
        <tbody>
          {found.items.map(({ releaseTarget: { deploymentId, environmentId, resourceId }, state }) => {
            const desired = state.desiredRelease?.version.tag
            const current = state.currentRelease?.version.tag
            return (
              <tr key={deploymentId + environmentId}>
                <th scope="row">
                  <a href={href('target', { releaseTargetKey: `${resourceId}-${environmentId}-${deploymentId}` })}>
                    {name(deploymentId)} <span class="quiet">in</span> {name(environmentId)}
                  </a>
                </th>
                <td class="num">
                  {current ?? <span class="quiet">nothing</span>}
                  {desired && desired !== current ? <span class="quiet"> → {desired}</span> : null}
                  {state.pin ? (
                    <span title="Pinned">
                      {' '}
                      <Icon name="pin" />
                      <span class="sr">pinned</span>
                    </span>
                  ) : null}
                </td>
                <td>{state.latestJob ? <JobState state={state.latestJob.status} /> : <span class="quiet">none</span>}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
      {found.total > MOST ? <p class="quiet pad">{found.total - MOST} more are not shown.</p> : null}
    </div>
  )
}
