/** Commands that make things appear, for this gateway and workspace. */
import { workspaceId } from '../../api/client.ts'
import { curl } from '../start/curl.ts'

export function commandFor(what: 'agent' | 'provider'): string {
  const base = `${location.origin}/api/v1/workspaces/${workspaceId.value}`
  if (what === 'agent') {
    return curl('PUT', `${base}/job-agents/$(uuidgen)`, { name: 'runner', type: 'test-runner', config: { delaySeconds: 3 } })
  }
  return curl('PUT', `${base}/resource-providers`, { id: '', name: 'terraform' })
}
