/** What a job is of, and where it does it, in a few words. Pure. */

interface Named {
  name: string
}

export interface JobNames {
  /** `checkout v4.2.0`, or the step of a workflow. */
  what: string
  /** `one in staging`, or the run. */
  where: string
  agent: string
}

export interface NamedJob {
  deployment?: Named | null
  environment?: Named | null
  resource?: Named | null
  version?: { tag: string } | null
  agent?: Named | null
  run?: { workflow: string; step: string } | null
}

export function namesOfJob({ deployment, environment, resource, version, agent, run }: NamedJob): JobNames {
  const by = agent?.name ?? 'no agent'
  if (run) return { what: run.step, where: `workflow ${run.workflow || '(deleted)'}`, agent: by }
  const what = `${deployment?.name ?? '(deleted)'} ${version?.tag ?? ''}`.trim()
  return { what, where: `${resource?.name ?? '(deleted)'} in ${environment?.name ?? '(deleted)'}`, agent: by }
}
