/** Job agents: what they have to do, how they are set up, what went wrong last. */
import type { Answer } from '../../api/client.ts'
import { useQuery } from '../../api/useQuery.ts'
import { Time } from '../../parts/base.tsx'
import { Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { JobState } from '../../parts/State.tsx'
import { Viewer } from '../../parts/Viewer.tsx'
import { href } from '../../router/location.ts'
import { commandFor } from './commands.ts'

type Agent = Answer<'/api/v1/workspaces/{workspaceId}/board/agents', 'get'>['items'][number]
const MOST = 200

export function Agents() {
  const asked = useQuery('/api/v1/workspaces/{workspaceId}/board/agents', { query: { limit: MOST }, topics: ['agents', 'jobs'] })
  const page = asked.data.value
  return (
    <>
      <div class="head">
        <h1>Agents</h1>
        <p>They carry jobs out. Which of them a deployment uses, its selector says. Secrets in their configurations are masked.</p>
      </div>
      {asked.error.value ? <ErrorCard error={asked.error.value} what="The agents:" retry={asked.reload} /> : null}
      {!page ? (
        asked.error.value ? null : <Skeleton lines={4} />
      ) : page.items.length ? (
        <ul class="card entries" aria-label="Agents">
          {page.items.map((one) => (
            <Entry key={one.id} agent={one} />
          ))}
        </ul>
      ) : (
        <Empty title="No agent yet" command={commandFor('agent')}>
          <p>
            An agent appears here with its type and its jobs: Argo CD, GitHub Actions, Terraform Cloud, Kubernetes, a webhook of yours. This command makes one
            that only pretends:
          </p>
        </Empty>
      )}
      {page && page.total > page.items.length ? <p class="quiet">The newest {page.items.length} of {page.total.toLocaleString('en')} agents.</p> : null}
    </>
  )
}

function Entry({ agent }: { agent: Agent }) {
  const { name, type, queued, running, finished, lastError, config, metadata } = agent
  const jobs = (state: string) => href('jobs', {}, { agent: agent.id, state })
  return (
    <li>
      <div class="line">
        <h2>{name}</h2>
        <span class="tag">{type}</span>
        <span class="figures">
          <a href={jobs('queued')}>
            <b class="num">{queued.toLocaleString('en')}</b> waiting
          </a>
          <a href={jobs('running')}>
            <b class="num">{running.toLocaleString('en')}</b> running
          </a>
          <a href={jobs('finished')}>
            <b class="num">{finished.toLocaleString('en')}</b> finished
          </a>
        </span>
      </div>
      {lastError ? (
        <p class="small wrong">
          <JobState state={lastError.status} /> <Time at={lastError.at} ago />: {lastError.message || 'without a message'}{' '}
          <a class="link" href={href('job', { jobId: lastError.jobId })}>
            The job
          </a>
        </p>
      ) : (
        <p class="small quiet">No job of it went wrong.</p>
      )}
      <details>
        <summary>Configuration</summary>
        <Viewer value={config} label={`the configuration of ${name}`} />
        {Object.keys(metadata).length ? <Viewer value={metadata} label={`the metadata of ${name}`} /> : null}
      </details>
    </li>
  )
}
