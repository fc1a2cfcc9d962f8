import { Text } from '@mantine/core'
import { shown } from './format.ts'

/** What a sample holds: an image as an image, else its numbers. */
export function SampleFeatures({
  sample,
}: {
  readonly sample: { readonly row: number; readonly features: unknown; readonly imageUrl: string | null }
}) {
  if (sample.imageUrl !== null)
    return (
      <img
        src={sample.imageUrl}
        alt={`Sample ${sample.row}`}
        className="pixels"
        loading="lazy"
        width={96}
        height={96}
        style={{ objectFit: 'contain', display: 'block', marginBottom: 4 }}
      />
    )
  const features = Object.entries(sample.features as Record<string, readonly (number | null)[] | null>)
  return (
    <Text size="xs" className="mono" lineClamp={4}>
      {features
        .map(([name, values]) => `${name}: ${values === null ? '(many values)' : values.map(shown).join(' ')}`)
        .join('\n')}
    </Text>
  )
}
