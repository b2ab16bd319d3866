/** What the parts of a deployment's page look at. */
import type { BoardApproval, DeploymentGates, VersionExplanation } from '../../api/schema'
import type { Cell } from '../../board/types.ts'

/** An environment of the deployment. */
export interface Place {
  id: string
  name: string
  cell: Cell
}

export interface Shown {
  deployment: { id: string; name: string }
  places: readonly Place[]
  /** The version that is looked at; null: there is none yet. */
  picked: { versionId: string; tag: string } | null
  choices: readonly { versionId: string; tag: string }[]
  explanation: VersionExplanation | undefined
  gates: DeploymentGates | undefined
  /** Approvals of the picked version that are waited for. */
  approvals: readonly BoardApproval[]
}
