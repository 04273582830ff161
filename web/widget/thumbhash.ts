// Draws a ThumbHash: the few cosine waves of a picture's brightness and two colours, packed into about 25 bytes.

const LONG = 24; // pixels of the longer side; it is stretched, and blurred by that

interface Channel {
  readonly mean: number;
  readonly waves: readonly number[];
  readonly across: number;
  readonly down: number;
}

export function draw(hash: string, width: number, height: number): HTMLCanvasElement | undefined {
  const bytes = unpacked(hash);
  if (!bytes) return undefined;
  const canvas = document.createElement("canvas");
  const scale = LONG / Math.max(width, height);
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const painter = canvas.getContext("2d");
  if (!painter) return undefined;
  const image = painter.createImageData(canvas.width, canvas.height);
  const channels = read(bytes);
  for (let y = 0, at = 0; y < canvas.height; y++) {
    for (let x = 0; x < canvas.width; x++, at += 4) {
      const [light = 0, yellow = 0, red = 0] = channels.map((one) =>
        value(one, (x + 0.5) / canvas.width, (y + 0.5) / canvas.height),
      );
      const b = light - (2 / 3) * yellow;
      const r = (3 * light - b + red) / 2;
      image.data.set([r * 255, (r - red) * 255, b * 255, 255], at);
    }
  }
  painter.putImageData(image, 0, 0);
  return canvas;
}

function unpacked(hash: string): Uint8Array | undefined {
  try {
    const bytes = Uint8Array.from(atob(hash), (one) => one.charCodeAt(0));
    return bytes.length > 5 ? bytes : undefined;
  } catch {
    return undefined;
  }
}

function read(bytes: Uint8Array): readonly Channel[] {
  const byte = (at: number): number => bytes[at] ?? 0;
  const first = byte(0) | (byte(1) << 8) | (byte(2) << 16);
  const second = byte(3) | (byte(4) << 8);
  const most = first >> 23 ? 5 : 7; // less detail where there is transparency, which our pictures lack
  const least = second & 7;
  const across = Math.max(3, second >> 15 ? most : least);
  const down = Math.max(3, second >> 15 ? least : most);
  let nibble = first >> 23 ? 12 : 10;
  const channel = (mean: number, wide: number, high: number, scale: number): Channel => {
    const waves: number[] = [];
    each(wide, high, () => {
      waves.push((((byte(nibble >> 1) >> ((nibble & 1) << 2)) & 15) / 7.5 - 1) * scale);
      nibble++;
    });
    return { mean, waves, across: wide, down: high };
  };
  return [
    channel((first & 63) / 63, across, down, ((first >> 18) & 31) / 31),
    channel(((first >> 6) & 63) / 31.5 - 1, 3, 3, (((second >> 3) & 63) / 63) * 1.25),
    channel(((first >> 12) & 63) / 31.5 - 1, 3, 3, (((second >> 9) & 63) / 63) * 1.25),
  ];
}

function value(channel: Channel, x: number, y: number): number {
  let sum = channel.mean;
  let at = 0;
  each(channel.across, channel.down, (right, down) => {
    const wave = Math.cos(Math.PI * x * right) * Math.cos(Math.PI * y * down) * 2;
    sum += (channel.waves[at++] ?? 0) * wave;
  });
  return sum;
}

// The triangle of low frequencies, in the order in which they are packed; the mean, which is first, stands elsewhere.
function each(across: number, down: number, visit: (right: number, down: number) => void): void {
  for (let y = 0; y < down; y++) for (let x = y ? 0 : 1; x * down < across * (down - y); x++) visit(x, y);
}
