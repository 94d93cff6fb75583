package panel

import (
	"fmt"

	"github.com/holoplot/go-evdev"
)

// keyCode returns the kernel's number of a key.
func keyCode(name string) (uint, error) {
	code, known := evdev.KEYFromString[name]
	if !known {
		return 0, fmt.Errorf("key must be a name of the kernel's such as KEY_F1 or BTN_0 (got %s)", name)
	}
	return uint(code), nil
}

// keys is a set of keys as the kernel gives it, a bit for each.
type keys [(evdev.KEY_MAX + 8) / 8]byte

func (k *keys) has(code uint) bool { return k[code/8]&(1<<(code%8)) != 0 }

func (k *keys) empty() bool { return *k == keys{} }
