/** A small world for developing pages without a gateway: a board that moves, a log, a stream with resume. Never shipped. */
import type { Board, Cell, Line, Status } from '../../src/board/types.ts'

const SYSTEMS = ['payments', 'storefront', 'identity', 'platform']
const NAMES = ['api', 'worker', 'web', 'gateway', 'scheduler', 'ledger', 'search', 'mailer', 'render', 'cron']
const ENVIRONMENTS = ['dev', 'qa', 'staging', 'canary', 'prod-eu', 'prod-us']
const REASONS: Record<Status, string[]> = {
  healthy: [''],
  progressing: [''],
  pending: ['soaks until', 'window opens', 'next wave at'],
  blocked: ['needs 1 approval', 'needs 2 approvals', 'frozen: db upgrade', 'staging must succeed'],
  failed: ['rolled back: error rate', 'job failed', 'job agent not found'],
  paused: ['version paused'],
  empty: [''],
}
const WEIGHTED: Status[] = ['healthy', 'healthy', 'healthy', 'healthy', 'healthy', 'progressing', 'pending', 'blocked', 'failed', 'paused']

/** Numbers that look random and are the same each time. */
export function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state * 1664525 + 1013904223) % 4294967296
    return state / 4294967296
  }
}

export class World {
  position = 0
  readonly board: Board
  readonly ring: { position: number; time: string; rows: [string, string, unknown][] }[] = []
  readonly facts: { position: number; type: string; subject: string; recordedtime: string }[] = []
  readonly #dice: () => number

  constructor(deployments = 40, seed = 7) {
    this.#dice = dice(seed)
    const systems = SYSTEMS.map((name) => ({ id: `s-${name}`, name }))
    const lines: Line[] = Array.from({ length: deployments }, (_, index) => {
      const system = systems[Math.floor((index * SYSTEMS.length) / deployments)] ?? { id: '', name: '' }
      const extra = index >= deployments / 4 ? `-${Math.floor(index / NAMES.length)}` : ''
      return { id: `d${index}`, name: `${system.name}-${NAMES[index % NAMES.length]}${extra}`, position: index, systems: [system] }
    })
    const environments: Line[] = ENVIRONMENTS.map((name, position) => ({ id: `e-${name}`, name, position, systems }))
    const cells = lines.flatMap((line, row) =>
      environments.filter((_, column) => !(row % 7 === 3 && column === 3)).map((environment) => this.#cell(line.id, environment.id)),
    )
    this.board = { position: 0, deployments: lines, environments, cells, counters: counted(cells) }
    for (let n = 0; n < 400; n += 1) this.move(Date.now() - (400 - n) * 9_000)
  }

  /** One thing happens: a cell moves on. */
  move(at = Date.now()): void {
    const cells = this.board.cells
    const index = Math.floor(this.#dice() * cells.length)
    const before = cells[index]
    if (!before) return
    const next = this.#cell(before.deploymentId, before.environmentId, at)
    cells[index] = next
    this.position += 1
    this.board.position = this.position
    this.board.counters = counted(cells)
    const time = new Date(at).toISOString()
    const rows: [string, string, unknown][] = [['matrix', next.key, next], ['matrix', 'counters', this.board.counters]]
    this.ring.push({ position: this.position, time, rows })
    this.facts.push({ position: this.position, type: 'policy.targets_cleared.v1', subject: next.key, recordedtime: time })
  }

  /** The cells as they were: the newest row of each in the ring up to a position. */
  at(position: number): Board {
    const rows = new Map(this.board.cells.map((cell) => [cell.key, { ...cell, status: 'pending' as Status, reason: '', until: null }]))
    for (const one of this.ring) {
      const row = one.rows[0]?.[2] as Cell | undefined
      if (one.position <= position && row) rows.set(row.key, row as never)
    }
    const cells = [...rows.values()]
    return { ...this.board, position, cells, counters: counted(cells) }
  }

  #cell(deploymentId: string, environmentId: string, at = Date.now()): Cell {
    const roll = this.#dice
    const status = WEIGHTED[Math.floor(roll() * WEIGHTED.length)] ?? 'healthy'
    const reasons = REASONS[status]
    const targets = 1 + Math.floor(roll() * 24)
    const minor = Math.floor(roll() * 30)
    const version = (n: number) => ({ versionId: `v${n}`, tag: `4.${n}.${Math.floor(roll() * 9)}` })
    const desired = version(minor)
    const done = status === 'healthy' ? targets : Math.floor(roll() * targets)
    const reason = reasons[Math.floor(roll() * reasons.length)] ?? ''
    return {
      key: `${deploymentId}/${environmentId}`,
      deploymentId,
      environmentId,
      targets,
      done,
      active: status === 'progressing' ? 1 : 0,
      failed: status === 'failed' ? 1 : 0,
      held: 0,
      status,
      desired,
      heldVersion: status === 'blocked' ? version(minor + 1) : null,
      running: [{ ...(status === 'healthy' ? desired : version(Math.max(0, minor - 1))), targets }],
      more: 0,
      reason,
      message: reason ? `Version ${desired.tag}: ${reason}.` : '',
      until: status === 'pending' ? new Date(at + Math.floor(roll() * 5_400_000)).toISOString() : null,
      since: new Date(at).toISOString(),
    }
  }
}

function counted(cells: readonly Cell[]): Board['counters'] {
  const counts = { failed: 0, blocked: 0, progressing: 0, pending: 0, paused: 0, healthy: 0, empty: 0, approvals: 3 }
  for (const cell of cells) counts[cell.status] += 1
  return counts
}
