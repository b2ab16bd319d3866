/** The heading of a group: pressed it folds its rows, of which a summary stays. */
import { Lazy } from '../../frame/Lazy.tsx'
import { fold } from './folds.ts'
import type { FoldedProps } from './Folded.tsx'
import type { Item } from './layout.ts'

const summary = () => import('./Folded.tsx')

interface Props extends Omit<FoldedProps, 'lines'> {
  group: Extract<Item, { kind: 'group' }>
  tabIndex?: number
}

export function Heading({ group: { key, name, lines, isFolded }, columns, filter, tabIndex = 0 }: Props) {
  return (
    <>
      <button type="button" class="fold num" aria-expanded={!isFolded} data-cell={key} tabIndex={tabIndex} onClick={() => fold(key)}>
        {name} {lines.length}
      </button>
      {isFolded ? <Lazy load={summary} props={{ lines, columns, filter }} failed={() => undefined} /> : null}
    </>
  )
}
