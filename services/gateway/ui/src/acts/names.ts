/** Names of what explanations speak of, as far as the board knows them. */
import { columns, rows } from '../board/board.ts'

export function nameOf(id: string): string | undefined {
  return rows.value.find((one) => one.id === id)?.name ?? columns.value.find((one) => one.id === id)?.name
}
