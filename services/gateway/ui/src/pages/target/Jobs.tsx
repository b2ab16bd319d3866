/** The newest jobs of a release target. */
import type { Job } from '../../api/schema'
import { Card, Time } from '../../parts/base.tsx'
import { Action } from '../../parts/Button.tsx'
import { Links } from '../../parts/Links.tsx'
import { linksOf } from '../../parts/links.ts'
import { Said, said } from '../../parts/Said.tsx'
import { JobState } from '../../parts/State.tsx'
import { isActive } from '../../parts/states.ts'
import { href } from '../../router/location.ts'
import { span } from '../../time/words.ts'
import { type Of, cancelJob } from './actions.tsx'

export function Jobs({ jobs, total, of }: { jobs: readonly Job[]; total: number; of: Of }) {
  return (
    <Card title="Jobs" note={total > jobs.length ? `newest ${jobs.length} of ${total}` : undefined}>
      {jobs.length ? (
        <ul class="jobs">
          {jobs.map((job) => (
            <JobLine key={job.id} job={job} of={of} />
          ))}
        </ul>
      ) : (
        <p class="in quiet">No job was made for this target yet. One is made when every rule lets a version go here.</p>
      )}
    </Card>
  )
}

function JobLine({ job, of }: { job: Job; of: Of }) {
  const tag = job.dispatchContext?.version?.tag ?? 'the version'
  const agent = job.dispatchContext?.jobAgent.name ?? 'its agent'
  const took = job.completedAt ? Date.parse(job.completedAt) - Date.parse(job.createdAt) : null
  return (
    <li>
      <JobState state={job.status} />
      <a class="mono link" href={href('job', { jobId: job.id })}>
        {tag}
      </a>
      <span class="quiet what" title={said(job.message)}>
        <Said>{job.message || `at ${agent}`}</Said>
        {job.cancellation ? ` · ${job.cancellation.message || (job.cancellation.stopped ? 'the agent stops it' : 'the agent does not stop it')}` : ''}
      </span>
      <span class="quiet when">
        <Time at={job.createdAt} ago />
        {took === null ? '' : ` · ${span(took)}`}
      </span>
      <span class="more">
        <Links links={linksOf(job.metadata)} />
        {isActive(job.status) ? (
          <Action small kind="danger" onPress={() => cancelJob(of, { id: job.id, agent, tag })}>
            Cancel…
          </Action>
        ) : null}
      </span>
    </li>
  )
}
