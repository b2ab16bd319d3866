/** All jobs: what waits, what runs, what ended. */
import { addressOf } from '../../api/client.ts'
import type { Answer } from '../../api/client.ts'
import { useQuery } from '../../api/useQuery.ts'
import { columns, rows } from '../../board/board.ts'
import { useCrumbs } from '../../frame/crumbs.ts'
import { useKeys } from '../../frame/keys.ts'
import { Time } from '../../parts/base.tsx'
import { Button, PAST } from '../../parts/Button.tsx'
import { List, type Look } from '../../parts/List.tsx'
import { Said, said } from '../../parts/Said.tsx'
import { Empty, ErrorCard, Skeleton, toast } from '../../parts/say.tsx'
import { JobState } from '../../parts/State.tsx'
import { isActive, jobStatus, spelt } from '../../parts/states.ts'
import { type Page, usePages } from '../../parts/usePages.ts'
import { href, query, setQuery } from '../../router/location.ts'
import { past } from '../../time/moment.ts'
import { Duration } from '../job/Duration.tsx'
import { cancelJob } from '../job/acts.tsx'
import { namesOfJob } from '../job/names.ts'
import { STATUSES } from '../job/words.ts'
import './jobs.css'

type Jobs = Answer<'/api/v1/workspaces/{workspaceId}/board/jobs', 'get'>
type Job = Jobs['items'][number]
type State = 'queued' | 'running' | 'finished'

const PATH = '/api/v1/workspaces/{workspaceId}/board/jobs'
const STATES: readonly { key: State | ''; label: string; letter: string }[] = [
  { key: '', label: 'All', letter: 'a' },
  { key: 'queued', label: 'Waiting', letter: 'w' },
  { key: 'running', label: 'Running', letter: 'r' },
  { key: 'finished', label: 'Finished', letter: 'f' },
]
const FILTERS = ['status', 'deployment', 'environment', 'agent'] as const

export default function JobsPage() {
  useCrumbs([{ label: 'Jobs' }])
  const told = (name: string) => query.value.get(name) ?? ''
  const state = STATES.find((one) => one.key === told('state'))?.key ?? ''
  const filter = {
    status: told('status'),
    deploymentId: told('deployment'),
    environmentId: told('environment'),
    jobAgentId: told('agent'),
  }
  const address = (limit: number, offset: number) => addressOf(PATH, { query: { ...filter, state, limit, offset } })
  const counts = useQuery(PATH, { query: { ...filter, limit: 1 }, topics: ['jobs'] })
  const jobs = usePages<Job, Jobs>(address, ['jobs'], (answer): Page<Job> => answer)
  const agents = useQuery('/api/v1/workspaces/{workspaceId}/job-agents', { query: { limit: 200 }, topics: ['agents'] })
  useKeys([
    ...STATES.map(({ key, label, letter }) => ({ key: letter, does: `${label.toLowerCase()} jobs`, run: () => setQuery({ state: key || null }) })),
    { key: 'j', does: 'next job; k the one before, Enter opens it' },
    { key: 'c', does: 'cancel the job that has the focus' },
  ])
  const number = (key: State | '') => {
    const found = counts.data.value?.counts
    if (!found) return ''
    return (key ? found[key] : found.queued + found.running + found.finished).toLocaleString('en')
  }
  const filtered = FILTERS.filter((name) => told(name))
  const drop = () => setQuery({ ...Object.fromEntries(filtered.map((name) => [name, null])), state: null })
  return (
    <div class="fill">
      <div class="head jobs-head">
        <h1>Jobs</h1>
        <div class="states" role="group" aria-label="How they stand">
          {STATES.map(({ key, label }) => (
            <button key={key} type="button" class="state" aria-pressed={state === key} onClick={() => setQuery({ state: key || null })}>
              {label} <span class="num faint">{number(key)}</span>
            </button>
          ))}
        </div>
        <div class="picks">
          <Pick name="deployment" label="Deployment" all="all deployments" options={rows.value.map(({ id, name }) => [id, name])} first />
          <Pick name="environment" label="Environment" all="all environments" options={columns.value.map(({ id, name }) => [id, name])} />
          <Pick name="agent" label="Agent" all="all agents" options={(agents.data.value?.items ?? []).map(({ id, name }) => [id, name])} />
          <Pick name="status" label="Status" all="all statuses" options={Object.keys(STATUSES).map((key) => [key, spelt(key)])} />
        </div>
      </div>
      {jobs.error ? <ErrorCard error={jobs.error} what={jobs.there ? 'This is not the newest state:' : 'The jobs:'} retry={jobs.reload} /> : null}
      {!jobs.there ? (
        jobs.error ? null : <Skeleton lines={14} />
      ) : jobs.count ? (
        <Rows jobs={jobs} />
      ) : filtered.length || state ? (
        <Empty title="No job fits these filters">
          <p>{sentence(state, filtered.map((name) => `${name} ${chosen(name, told(name))}`))}</p>
          <p>
            <Button onPress={drop}>Show every job</Button>
          </p>
        </Empty>
      ) : (
        <Empty title="No job yet">
          <p>
            A job appears here for each target that a version goes to: its agent, how it stands, how long it took. <a href={href('start')}>Post a version</a>{' '}
            of a deployment to make the first ones.
          </p>
        </Empty>
      )}
    </div>
  )

  function chosen(name: string, value: string): string {
    if (name === 'status') return spelt(value)
    const lists = { deployment: rows.value, environment: columns.value, agent: agents.data.value?.items ?? [] } as Record<string, readonly { id: string; name: string }[]>
    return lists[name]?.find((one) => one.id === value)?.name ?? value.slice(0, 8)
  }
}

function sentence(state: string, filters: readonly string[]): string {
  const which = STATES.find((one) => one.key === state)?.label.toLowerCase()
  return `Nothing is ${[state ? which : '', ...filters].filter(Boolean).join(', ')}.`
}

function Pick({ name, label, all, options, first = false }: { name: string; label: string; all: string; options: readonly (readonly [string, string])[]; first?: boolean }) {
  const value = query.value.get(name) ?? ''
  const known = options.some(([key]) => key === value)
  return (
    <select
      class="field"
      aria-label={label}
      value={value}
      {...(first ? { 'data-filter': '' } : {})}
      onChange={(event) => setQuery({ [name]: event.currentTarget.value || null })}
    >
      <option value="">{all}</option>
      {value && !known ? <option value={value}>{value.slice(0, 8)}</option> : null}
      {options.map(([key, text]) => (
        <option key={key} value={key}>
          {text}
        </option>
      ))}
    </select>
  )
}

const WIDE: Look<Job> = {
  columns: [
    { title: 'Status', width: '150px' },
    { title: 'What', width: 'minmax(0, 2fr)' },
    { title: 'Where', width: 'minmax(0, 2fr)' },
    { title: 'Agent', width: 'minmax(0, 1fr)' },
    { title: 'Made', width: '110px' },
    { title: 'Took', width: '96px' },
    { title: 'Message', width: 'minmax(0, 2fr)' },
  ],
  cells: wideCells,
}
const SLIM: Look<Job> = {
  columns: [
    { title: 'Job', width: 'minmax(0, 1fr)' },
    { title: 'Status', width: 'minmax(90px, max-content)' },
  ],
  rowHeight: 54,
  cells: slimCells,
}

function Rows({ jobs }: { jobs: ReturnType<typeof usePages<Job, Jobs>> }) {
  return (
    <List<Job>
      label="Jobs"
      {...WIDE}
      slim={SLIM}
      count={jobs.count}
      row={jobs.row}
      onWindow={jobs.onWindow}
      rowKey={(job) => job.id}
      link={(job) => href('job', { jobId: job.id })}
      status={(job) => jobStatus(job.status)}
      onKey={(key, job) => {
        if (key !== 'c') return false
        if (past.peek()) toast('pending', PAST)
        else if (isActive(job.status)) cancelJob({ id: job.id, ...namesOfJob(job) })
        else toast('pending', 'It has ended: there is nothing to stop.')
        return true
      }}
    />
  )
}

function wideCells(job: Job) {
  const { what, where } = namesOfJob(job)
  return [
    <JobState state={job.status} />,
    what,
    where,
    job.agent?.name ?? <span class="faint">none</span>,
    <Time at={job.createdAt} ago />,
    <Duration from={job.startedAt} to={job.completedAt} active={isActive(job.status)} />,
    <span class="quiet" title={said(job.delay?.message ?? job.message)}>
      <Said>{job.delay ? `is asked again: ${job.delay.message}` : job.message}</Said>
    </span>,
  ]
}

function slimCells(job: Job) {
  const { what, where } = namesOfJob(job)
  return [
    <span class="two">
      <b class="cut">{what}</b>
      <span class="cut quiet small">{where}</span>
    </span>,
    <span class="two end">
      <JobState state={job.status} />
      <span class="faint small">
        <Time at={job.createdAt} ago />
      </span>
    </span>,
  ]
}
