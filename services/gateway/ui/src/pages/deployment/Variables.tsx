/** The variables of a deployment: what they are for, and which value goes to which resources. */
import type { DeploymentVariableWithValues } from '../../api/schema'
import { workspaceId } from '../../api/client.ts'
import { useQuery } from '../../api/useQuery.ts'
import { Card } from '../../parts/base.tsx'
import { Empty, ErrorCard, Skeleton } from '../../parts/say.tsx'
import { selectorWords } from '../../rules/sentences.ts'

export function Variables({ deploymentId }: { deploymentId: string }) {
  const found = useQuery('/api/v1/workspaces/{workspaceId}/deployments/{deploymentId}/variables', {
    path: { deploymentId },
    query: { limit: 1000 },
    topics: [`deployment:${deploymentId}`],
  })
  if (found.error.value) return <ErrorCard error={found.error.value} what="Its variables:" retry={found.reload} />
  const items = found.data.value?.items
  if (!items) return found.slow.value ? <Skeleton lines={6} /> : null
  if (!items.length) {
    return (
      <Empty
        title="No variables yet"
        command={`curl -X PUT -H "X-API-Key: $SIGNALBOX_API_KEY" -H "Content-Type: application/json" \\\n  -d '{"key":"replicas","deploymentId":"${deploymentId}"}' \\\n  ${location.origin}/api/v1/workspaces/${workspaceId.value}/deployment-variables/$(uuidgen)`}
      >
        <p>A variable has a value for each target, chosen by selectors; a change of it deploys the running version again where the value differs.</p>
      </Empty>
    )
  }
  return (
    <div class="variables">
      {[...items].sort((a, b) => a.variable.key.localeCompare(b.variable.key)).map((one) => (
        <Variable key={one.variable.id} one={one} />
      ))}
    </div>
  )
}

function Variable({ one: { variable, values } }: { one: DeploymentVariableWithValues }) {
  const sorted = [...values].sort((a, b) => b.priority - a.priority)
  return (
    <Card title={<code>{variable.key}</code>} note={`${values.length} ${values.length === 1 ? 'value' : 'values'}`}>
      {variable.description ? <p class="in quiet">{variable.description}</p> : null}
      {sorted.length ? (
        <div class="scroll-x" role="region" aria-label={`Values of ${variable.key}`} tabIndex={0}>
          <table class="table">
            <thead>
              <tr>
                <th scope="col">Value</th>
                <th scope="col">For</th>
                <th scope="col" class="right">
                  Priority
                </th>
              </tr>
            </thead>
            <tbody>
              {sorted.map((value) => (
                <tr key={value.id}>
                  <td class="mono">{JSON.stringify(value.value)}</td>
                  <td title={value.resourceSelector}>{value.resourceSelector ? selectorWords(value.resourceSelector) : 'every resource'}</td>
                  <td class="right num">{value.priority}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <p class="in quiet">It has no value yet; resources and variable sets may give one.</p>
      )}
    </Card>
  )
}
