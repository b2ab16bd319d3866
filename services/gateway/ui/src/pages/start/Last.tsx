/** The end of the guide: the version on its way, until it runs. */
import { useQuery } from '../../api/useQuery.ts'
import { Bar, Countdown, Glyph, Status } from '../../parts/base.tsx'
import { Command } from '../../parts/say.tsx'
import { workspaceId } from '../../api/client.ts'
import { href } from '../../router/location.ts'
import { curl } from './curl.ts'
import type { There } from './plan.ts'

export function Last({ there }: { there: There }) {
  const { deployment, environment, version } = there
  const known = deployment !== null && environment !== null && version !== null
  const key = known ? `${deployment.id}/${environment.id}` : ''
  const asked = useQuery('/api/v1/workspaces/{workspaceId}/board/rollouts/{deploymentId}/{environmentId}', {
    path: { deploymentId: deployment?.id ?? '', environmentId: environment?.id ?? '' },
    query: { limit: 1 },
    topics: [`rollout:${key}`],
    when: known,
  })
  const cell = asked.data.value?.cell
  const target = asked.data.value?.items[0]
  const arrived = known ? (cell?.running.find((one) => one.versionId === version.id)?.targets ?? 0) : 0
  const runs = known && cell?.status === 'healthy' && arrived > 0
  return (
    <li data-st={runs ? 'healthy' : known ? 'progressing' : 'pending'} aria-current={known && !runs ? 'step' : undefined}>
      <span class="mark-of-step" aria-hidden="true">
        {runs ? <Glyph status="healthy" /> : 7}
      </span>
      <div>
        <h2>Watch it arrive</h2>
        {!known ? null : !cell || !cell.targets ? (
          <p class="quiet" role="status">
            {cell ? `Waiting for a target: no resource is picked by both ${environment.name} and ${deployment.name}, or they are linked to different systems.` : 'Waiting for the rollout…'}
          </p>
        ) : runs ? (
          <div class="arrived" role="status">
            <p>
              <b>
                {version.tag} of {deployment.name} runs on {arrived} of {cell.targets} {cell.targets === 1 ? 'target' : 'targets'} in {environment.name}.
              </b>
            </p>
            <p>
              <a href={href('overview')}>See it in the overview</a>
              {target ? (
                <>
                  , <a href={href('target', { releaseTargetKey: target.key })}>on its target</a>
                </>
              ) : null}
              , or read <a href={href('events')}>everything that happened</a>. Next: let <a href={href('policies')}>policies</a> say when a version may go, and have
              your CI post the next one:
            </p>
            <Command
              text={curl('POST', `${location.origin}/api/v1/workspaces/${workspaceId.value}/deployments/${deployment.id}/versions`, {
                tag: 'v1.0.1',
                name: 'v1.0.1',
                status: 'ready',
              })}
            />
          </div>
        ) : (
          <div class="arriving" role="status">
            <p>
              <Status status={cell.status} {...(cell.reason ? { detail: cell.reason } : {})} /> {cell.until ? <Countdown until={cell.until} /> : null}
            </p>
            <Bar done={arrived} all={cell.targets} />
            <p class="quiet">
              Waiting for {version.tag} of {deployment.name} in {environment.name}: it runs on {arrived} of {cell.targets} {cell.targets === 1 ? 'target' : 'targets'}.
              {target?.job ? (
                <>
                  {' '}
                  <a href={href('job', { jobId: target.job.id })}>Its job</a>
                </>
              ) : null}
            </p>
          </div>
        )}
      </div>
    </li>
  )
}
