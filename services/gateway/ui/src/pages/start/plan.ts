/** The steps from an empty workspace to a deployed version: what each asks for, and the calls that it makes. Pure. */

export type StepKey = 'system' | 'environment' | 'resource' | 'agent' | 'deployment' | 'version'

interface Named {
  id: string
  name: string
}

/** What is there already. */
export interface There {
  system: Named | null
  environment: Named | null
  resource: { id: string; name: string; identifier: string } | null
  agent: Named | null
  deployment: Named | null
  version: { id: string; tag: string } | null
}

export interface Field {
  name: string
  label: string
  value: string
  hint?: string
}

export interface Call {
  method: 'POST' | 'PUT'
  /** Below the workspace. */
  path: string
  body?: unknown
}

export interface Step {
  key: StepKey
  title: string
  /** What it is for. */
  why: string
  fields: readonly Field[]
  verb: string
  /** What is waited for once it is sent. */
  waits: string
  calls(values: Readonly<Record<string, string>>, there: There, ids: Readonly<Record<StepKey, string>>): Call[]
}

export const STEPS: readonly Step[] = [
  {
    key: 'system',
    title: 'Make a system',
    why: 'A system is what belongs together: the services of a shop, a platform. Environments and deployments are linked to it.',
    fields: [{ name: 'name', label: 'Name', value: 'shop' }],
    verb: 'Make the system',
    waits: 'the system',
    calls: ({ name }) => [{ method: 'POST', path: '/systems', body: { name } }],
  },
  {
    key: 'environment',
    title: 'Make an environment',
    why: 'An environment is a set of resources that versions go to together: staging, production. An expression says which.',
    fields: [
      { name: 'name', label: 'Name', value: 'production' },
      { name: 'selector', label: 'Which resources', value: 'resource.kind == "Cluster"', hint: 'An expression; “true” is every resource.' },
    ],
    verb: 'Make the environment',
    waits: 'the environment',
    calls: ({ name, selector }, { system }, ids) => [
      { method: 'PUT', path: `/environments/${ids.environment}`, body: { name, resourceSelector: selector } },
      { method: 'PUT', path: `/systems/${system?.id}/environments/${ids.environment}` },
    ],
  },
  {
    key: 'resource',
    title: 'Tell of a resource',
    why: 'A resource is where something can run: a cluster, a machine, an account. Syncers tell of thousands; the first one by hand.',
    fields: [
      { name: 'identifier', label: 'Identifier', value: 'cluster/one', hint: 'Unique in the workspace.' },
      { name: 'kind', label: 'Kind', value: 'Cluster' },
    ],
    verb: 'Add the resource',
    waits: 'the resource',
    calls: ({ identifier = '', kind }) => [
      {
        method: 'PUT',
        path: `/resources/identifier/${encodeURIComponent(identifier)}`,
        body: { name: identifier.slice(identifier.lastIndexOf('/') + 1) || identifier, kind, version: 'v1', config: {}, metadata: {} },
      },
    ],
  },
  {
    key: 'agent',
    title: 'Set up an agent',
    why: 'An agent carries jobs out: Argo CD, GitHub Actions, Terraform Cloud, Kubernetes, a webhook. This one only waits and says that it worked, so that nothing else is needed for now.',
    fields: [
      { name: 'name', label: 'Name', value: 'runner' },
      { name: 'seconds', label: 'Seconds that a job takes', value: '3' },
    ],
    verb: 'Set up the agent',
    waits: 'the agent',
    calls: ({ name, seconds }, _there, ids) => [
      { method: 'PUT', path: `/job-agents/${ids.agent}`, body: { name, type: 'test-runner', config: { delaySeconds: Number(seconds) || 0 } } },
    ],
  },
  {
    key: 'deployment',
    title: 'Make a deployment',
    why: 'A deployment is something that has versions: a service, a chart, a Terraform module. It goes to every resource of the system’s environments that its own expression picks.',
    fields: [{ name: 'name', label: 'Name', value: 'api' }],
    verb: 'Make the deployment',
    waits: 'the deployment',
    calls: ({ name = '' }, { system, agent }, ids) => [
      {
        method: 'PUT',
        path: `/deployments/${ids.deployment}`,
        body: { name, slug: slugOf(name), resourceSelector: 'true', jobAgentSelector: `jobAgent.name == ${JSON.stringify(agent?.name ?? 'runner')}` },
      },
      { method: 'PUT', path: `/systems/${system?.id}/deployments/${ids.deployment}` },
    ],
  },
  {
    key: 'version',
    title: 'Post a version',
    why: 'Your CI does this at the end of each build. From here on everything goes by itself.',
    fields: [{ name: 'tag', label: 'Tag', value: 'v1.0.0' }],
    verb: 'Post the version',
    waits: 'the version',
    calls: ({ tag }, { deployment }) => [
      { method: 'POST', path: `/deployments/${deployment?.id}/versions`, body: { tag, name: tag, status: 'ready' } },
    ],
  },
]

/** The first step that is not done; undefined: all are. */
export function nextStep(there: There): Step | undefined {
  return STEPS.find((step) => there[step.key] === null)
}

/** What a done step made. */
export function madeOf(key: StepKey, there: There): string {
  if (key === 'version') return there.version?.tag ?? ''
  if (key === 'resource') return there.resource?.identifier ?? ''
  return there[key]?.name ?? ''
}

/** What is wrong with what was filled in; '' for nothing. */
export function lacking(step: Step, values: Readonly<Record<string, string>>): string {
  const empty = step.fields.find((field) => !(values[field.name] ?? '').trim())
  return empty ? `${empty.label} is empty.` : ''
}

/** `My API` → `my-api`. */
export function slugOf(name: string): string {
  return (
    name
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'deployment'
  )
}
