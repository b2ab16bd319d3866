/** What a page says of a job. Pure. */
import { isActive } from '../../parts/states.ts'

/** Every status of a job, and what it means; those that end it last. */
export const STATUSES: Readonly<Record<string, string>> = {
  pending: 'It was made, and its agent was not asked yet.',
  queued: 'It waits for its agent to take it.',
  inProgress: 'Its agent works on it.',
  actionRequired: 'Its agent does not go on before somebody did something.',
  successful: 'Its agent did what it was to do.',
  failure: 'Its agent could not do it.',
  cancelled: 'Somebody stopped it, or a newer release took its place.',
  skipped: 'It was not needed.',
  invalidJobAgent: 'No agent fits the deployment’s selector.',
  invalidIntegration: 'The agent’s configuration does not work.',
  externalRunNotFound: 'The run that the agent began elsewhere is gone.',
}

/** What changes when a person says that a job stands so. */
export function overrideSays(status: string, what: string, where: string): string {
  if (status === 'successful') return `Signalbox takes ${what} as deployed on ${where} and goes on from there: verification, and whoever waits for it. Nothing is run.`
  if (isActive(status)) return `The job counts as under way again, and blocks newer ones on ${where} until it ends. Its agent is not told.`
  if (status === 'cancelled' || status === 'skipped') return `The job ends, and ${where} stays as it is now. Its agent is not told: cancel the job for that.`
  return `Signalbox takes ${what} as failed on ${where}: retries and rollbacks that policies ask for follow. Its agent is not told.`
}
