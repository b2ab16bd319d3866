/** How states of versions, jobs and verifications look, as statuses. Pure. */
import type { Status } from '../board/types.ts'

const VERSIONS: Record<string, Status> = { ready: 'healthy', building: 'progressing', failed: 'failed', rejected: 'failed', paused: 'paused' }
const JOBS: Record<string, Status> = {
  pending: 'pending',
  queued: 'pending',
  inProgress: 'progressing',
  actionRequired: 'blocked',
  successful: 'healthy',
  cancelled: 'paused',
  skipped: 'paused',
}
const VERIFICATIONS: Record<string, Status> = {
  running: 'progressing',
  passed: 'healthy',
  failed: 'failed',
  inconclusive: 'blocked',
  cancelled: 'paused',
}

export function versionStatus(state: string): Status {
  return VERSIONS[state] ?? 'pending'
}

/** Whatever is not known of a job is an end that nobody wanted: its agent or integration was not found. */
export function jobStatus(state: string): Status {
  return JOBS[state] ?? 'failed'
}

export function verificationStatus(state: string): Status {
  return VERIFICATIONS[state] ?? 'pending'
}

/** Whether a job still goes on. */
export function isActive(state: string): boolean {
  return ['pending', 'queued', 'inProgress', 'actionRequired'].includes(state)
}

/** `inProgress` as people write it. */
export function spelt(name: string): string {
  return name.replace(/([A-Z])/g, (letter) => ` ${letter.toLowerCase()}`)
}
