package command

import (
	"errors"
	"io/fs"
	"os"
)

// output is a file that a flag names. What it held is kept until there is something to write: a run that doesn't begin
// leaves it as it was.
type output struct {
	file  *os.File
	made  bool // it wasn't there before
	begun bool
}

// create opens the file of a flag.
func create(flag, name string) (*output, error) {
	_, err := os.Lstat(name)
	made := errors.Is(err, fs.ErrNotExist)
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o666)
	if err != nil {
		return nil, usage("%s: %w", flag, err)
	}
	return &output{file: file, made: made}, nil
}

// regular reports whether it is a file that keeps what is written, which a terminal or a pipe isn't.
func (o *output) regular() bool {
	info, err := o.file.Stat()
	return err == nil && info.Mode().IsRegular()
}

// Write writes in the place of what was there (io.Writer).
func (o *output) Write(p []byte) (int, error) {
	if !o.begun && o.regular() {
		if err := o.file.Truncate(0); err != nil {
			return 0, err
		}
	}
	o.begun = true
	return o.file.Write(p)
}

// Close closes the file, and removes it if it is new and nothing was written (io.Closer).
func (o *output) Close() error {
	err := o.file.Close()
	if o.made && !o.begun {
		err = errors.Join(err, os.Remove(o.file.Name()))
	}
	return err
}

// sameFile reports whether two outputs are one file, of which each would overwrite the other's half.
func sameFile(a, b *output) bool {
	one, errOne := a.file.Stat()
	other, errOther := b.file.Stat()
	return errors.Join(errOne, errOther) == nil && a.regular() && os.SameFile(one, other)
}
