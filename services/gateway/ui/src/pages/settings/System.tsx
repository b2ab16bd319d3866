/** How the installation is: how far each service is with the facts of this workspace, and what nobody could handle. */
import { useEffect } from 'preact/hooks'
import type { Answer } from '../../api/client.ts'
import { useQuery } from '../../api/useQuery.ts'
import { Card, Glyph, Time } from '../../parts/base.tsx'
import { ErrorCard, Skeleton } from '../../parts/say.tsx'
import { at, href } from '../../router/location.ts'
import { type Standing, standingOf } from './standing.ts'

type Seen = Answer<'/api/v1/workspaces/{workspaceId}/board/system', 'get'>

/** How far services are is told by no fact, so it is asked for again and again while somebody looks. */
const EVERY_MS = 3_000

export function System() {
  const asked = useQuery('/api/v1/workspaces/{workspaceId}/board/system', { timeless: true })
  useEffect(() => {
    const timer = setInterval(() => {
      if (!document.hidden) asked.reload()
    }, EVERY_MS)
    return () => clearInterval(timer)
  }, [])
  const seen = asked.data.value
  return (
    <>
      <div class="head">
        <h1>System</h1>
        <p>
          How far each service is with the events of this workspace{at.value === null ? '' : ', as it is now'}. All of them read the same log; none waits for
          another.
        </p>
      </div>
      {asked.error.value ? <ErrorCard error={asked.error.value} what={seen ? 'This is not the newest state:' : 'The system:'} retry={asked.reload} /> : null}
      {seen ? <Told seen={seen} /> : asked.error.value ? null : <Skeleton lines={8} />}
    </>
  )
}

function Told({ seen }: { seen: Seen }) {
  const rows = { name: 'reads', position: seen.rows, decided: seen.rows, stopped: '' }
  return (
    <>
      <dl class="facts wide-facts">
        <dt>Version</dt>
        <dd>{seen.version}</dd>
        <dt>Newest event</dt>
        <dd>
          <span class="num mono">#{seen.position.toLocaleString('en')}</span> {seen.recordedAt ? <Time at={seen.recordedAt} ago /> : null}
        </dd>
      </dl>
      <div class="card scroll-x" role="region" aria-label="Services" tabIndex={0}>
        <table class="table" aria-label="Services">
          <thead>
            <tr>
              <th scope="col">Service</th>
              <th scope="col">State</th>
              <th scope="col" class="right">
                Has read to
              </th>
              <th scope="col" class="right">
                Behind
              </th>
              <th scope="col" class="right only-wide">
                Last decided at
              </th>
            </tr>
          </thead>
          <tbody>
            {[...seen.services, rows].map((one) => (
              <Service key={one.name} standing={standingOf(one, seen.position)} service={one} />
            ))}
          </tbody>
        </table>
      </div>
      <Card title="Passed over" note={seen.parked?.length ? `${seen.parked.length}` : undefined}>
        {seen.parked?.length ? (
          <ul class="parked">
            {seen.parked.map((one) => (
              <li key={`${one.consumer} ${one.position}`}>
                <b>{one.consumer}</b> could not handle{' '}
                <a class="link" href={href('events', {}, { event: one.position })}>
                  event {one.position}
                </a>
                : {one.error}
              </li>
            ))}
          </ul>
        ) : (
          <p class="in quiet">No service had to pass over an event that it could not handle.</p>
        )}
      </Card>
    </>
  )
}

function Service({ service, standing }: { service: { name: string; position: number | null; decided: number; stopped: string }; standing: Standing }) {
  return (
    <tr>
      <th scope="row">{service.name}</th>
      <td>
        <span class="status" data-st={standing.look}>
          <Glyph status={standing.look} />
          {standing.word}
        </span>
        {service.stopped ? <p class="small">{service.stopped}</p> : null}
      </td>
      <td class="right num">{service.position === null ? <span class="faint">in another process</span> : service.position.toLocaleString('en')}</td>
      <td class="right num">{standing.behind === null ? '' : standing.behind.toLocaleString('en')}</td>
      <td class="right num quiet only-wide">{service.decided.toLocaleString('en')}</td>
    </tr>
  )
}
