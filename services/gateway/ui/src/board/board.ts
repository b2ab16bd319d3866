/** The matrix of this workspace: a snapshot, and what the stream changes in it; or as it was at the moment that is looked at. */
import { batch, computed, effect, signal } from '@preact/signals'
import { expired, getFrom, session, workspaceId } from '../api/client.ts'
import { ApiError } from '../api/error.ts'
import { fill } from '../api/address.ts'
import { Rows } from '../live/rows.ts'
import { subscribe } from '../live/link.ts'
import { at } from '../router/location.ts'
import type { Board, Cell, Counters, Line } from './types.ts'

export const cells = new Rows<Cell>()
const deployments = new Rows<Line>()
const environments = new Rows<Line>()
export const counters = signal<Counters | null>(null)
/** Why there is no board, or an old one. */
export const boardError = signal<ApiError | null>(null)
/** Whether there is anything to show yet. */
export const boardThere = signal(false)

const byPlace = (rows: Line[]) => rows.sort((a, b) => a.position - b.position || a.name.localeCompare(b.name))
export const rows = computed(() => byPlace(deployments.values()))
export const columns = computed(() => byPlace(environments.values()))

let users = 0
const wanted = signal(false)

/** Keep the board true for as long as somebody shows it. */
export function useOfBoard(): () => void {
  users += 1
  wanted.value = true
  return () => {
    users -= 1
    wanted.value = users > 0
  }
}

/** Take the snapshot that came with the page. */
export function seed(board: Board): void {
  batch(() => {
    cells.seed(
      board.cells.map((cell) => [cell.key, cell]),
      board.position,
    )
    deployments.seed(
      board.deployments.map((line) => [line.id, line]),
      board.position,
    )
    environments.seed(
      board.environments.map((line) => [line.id, line]),
      board.position,
    )
    counters.value = { ...board.counters, approvals: board.counters.approvals ?? board.approvals ?? 0 }
    boardThere.value = true
    boardError.value = null
  })
}

let again = () => {}

/** The snapshot that the page came with is of this workspace and of now; it is used once. */
let fromBoot = ''
/** Whose rows there are. */
let boardOf = ''

export function seedFromBoot(board: Board, id: string): void {
  seed(board)
  fromBoot = id
  boardOf = id
}

// Whoever signs in after somebody signed out may be somebody else.
effect(() => {
  if (session.value) return
  boardThere.value = false
  counters.value = null
})

effect(() => {
  const id = workspaceId.value
  const moment = at.value
  if (!wanted.value || !id) return
  void session.value
  // What is there is of another workspace: it must not stand under the name of this one.
  if (boardOf !== id) boardThere.value = false
  boardOf = id
  const gone = new AbortController()
  let leave = () => {}
  const listen = () => {
    leave()
    if (moment === null) leave = subscribe({ topics: ['matrix'], since: cells.position, rows: patch, reset: () => void load() })
  }
  const load = async () => {
    try {
      const address = fill('/api/v1/workspaces/{id}/board', { id }, { at: moment })
      const board = await getFrom<Board>(address, gone.signal)
      if (gone.signal.aborted) return
      seed(board)
      listen()
    } catch (failure) {
      if (!gone.signal.aborted && !expired.peek()) boardError.value = failure instanceof ApiError ? failure : null
    }
  }
  again = () => void load()
  if (fromBoot === id && moment === null) listen()
  else void load()
  fromBoot = ''
  return () => {
    gone.abort()
    leave()
  }
})

/** Ask for the board again. */
export function reloadBoard(): void {
  again()
}

function patch(changed: [topic: string, key: string, row: unknown][], position: number): void {
  const of = <T>(kind: string) =>
    changed.filter(([, key]) => key.startsWith(kind)).map(([, key, row]) => [key.slice(kind.length), row as T | null] as const)
  // A cell's key is that of its row and its column: two ids, while those of the other rows begin with a word.
  const ofCells = changed.flatMap(([, key, row]) => (/^(deployment|environment)\/|^counters$/.test(key) ? [] : [[key, row as Cell | null] as const]))
  batch(() => {
    deployments.patch(of<Line>('deployment/'), position)
    environments.patch(of<Line>('environment/'), position)
    if (!cells.patch(ofCells, position)) return
    for (const [, key, row] of changed) if (key === 'counters' && row) counters.value = row as Counters
  })
}
