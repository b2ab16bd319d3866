/** The filter means nothing that there is. */
import { Button } from '../../parts/Button.tsx'
import { Empty } from '../../parts/say.tsx'

export default function Nothing({ text, onText }: { text: string; onText(next: string): void }) {
  const shorter = text.trim().split(/\s+/).slice(0, -1).join(' ')
  return (
    <Empty title="Nothing fits this filter">
      <p>
        <code>{text}</code>
      </p>
      <p>
        <Button onPress={() => onText(shorter)}>{shorter ? `Look for ${shorter}` : 'Show everything'}</Button>
      </p>
    </Empty>
  )
}
