/**
 * Whether this process was told of a Vulkan driver: what needs WebGPU is skipped, visibly, where it was not. A software one for tests is
 * SwiftShader, which Debian's chromium brings: `VK_ICD_FILENAMES=/usr/lib/chromium/vk_swiftshader_icd.json XDG_RUNTIME_DIR=/tmp npm test -- test/contract`
 * (and the package libvulkan1).
 */
export const webgpuAdapter = (process.env['VK_DRIVER_FILES'] ?? process.env['VK_ICD_FILENAMES'] ?? '') !== ''
