/** The facts of a job, in the order in which they were recorded. */
import { useQuery } from '../../api/useQuery.ts'
import { Card, Glyph, Time } from '../../parts/base.tsx'
import { Said } from '../../parts/Said.tsx'
import { ErrorCard, Skeleton } from '../../parts/say.tsx'
import { jobStatus, spelt } from '../../parts/states.ts'
import { personName } from '../../people/people.ts'
import { href } from '../../router/location.ts'
import '../../styles/shared.css'
import { byWhom, wordsOf } from '../events/words.ts'

const MOST = 200

export function Facts({ jobId }: { jobId: string }) {
  const asked = useQuery('/api/v1/workspaces/{workspaceId}/events', {
    query: { subject: `job/${jobId}`, limit: MOST, names: true },
    topics: [`job:${jobId}`],
  })
  const page = asked.data.value
  return (
    <Card title="What happened" note={<a href={href('events', {}, { about: `job/${jobId}` })}>In the event log</a>}>
      {asked.error.value ? (
        <ErrorCard error={asked.error.value} what="The facts:" retry={asked.reload} />
      ) : !page ? (
        <Skeleton lines={4} />
      ) : (
        <ol class="history">
          {page.items.map((one) => {
            const status = typeof one.data['status'] === 'string' ? one.data['status'] : ''
            const message = typeof one.data['message'] === 'string' ? one.data['message'] : ''
            const attempt = typeof one.data['attempt'] === 'number' && one.data['attempt'] > 1 ? `, attempt ${one.data['attempt']}` : ''
            const back = one.data['rollback'] === true ? ', to undo a bad version' : ''
            const look = status ? jobStatus(status) : 'pending'
            return (
              <li key={one.position} data-st={look}>
                <Glyph status={look} />
                <div>
                  <a href={href('events', {}, { about: one.subject, event: one.position })}>{status ? `${wordsOf(one.type)}: ${spelt(status)}` : wordsOf(one.type)}</a>
                  {attempt}
                  {back}
                  {message ? (
                    <p class="quiet">
                      <Said>{message}</Said>
                    </p>
                  ) : null}
                </div>
                <span class="when">
                  <span class="quiet">{byWhom(one.authid, page.names ?? {}, personName)} · </span>
                  <Time at={one.time} />
                </span>
              </li>
            )
          })}
        </ol>
      )}
    </Card>
  )
}
