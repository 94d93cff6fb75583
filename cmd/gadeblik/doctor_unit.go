package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

const unitName = "gadeblik.service"

// unitFile is the path of the service's unit below the root, "" where none is
// installed. The first of them is what systemd takes.
func (k kernelFiles) unitFile() string {
	for _, dir := range []string{"etc/systemd/system", "run/systemd/system", "usr/local/lib/systemd/system", "usr/lib/systemd/system", "lib/systemd/system"} {
		if name := filepath.Join(dir, unitName); exists(filepath.Join(k.root, name)) {
			return name
		}
	}
	return ""
}

// unitSays returns the values of a key of the unit and its drop-ins, "" without any. An
// empty value takes back those before it, as systemd has it.
func (k kernelFiles) unitSays(key string) string {
	name := k.unitFile()
	if name == "" {
		return ""
	}
	files := []string{filepath.Join(k.root, name)}
	for _, dir := range []string{"usr/lib/systemd/system", "lib/systemd/system", "run/systemd/system", "etc/systemd/system"} {
		// The pattern is bad only where root is; then there are no drop-ins.
		more, _ := filepath.Glob(filepath.Join(k.root, dir, unitName+".d", "*.conf"))
		files = append(files, more...)
	}
	var values []string
	for _, file := range files {
		raw, err := os.ReadFile(file)
		if err != nil {
			continue // systemd could not read it either, and says so
		}
		for line := range strings.Lines(string(raw)) {
			if value, ok := strings.CutPrefix(strings.TrimSpace(line), key+"="); ok && value == "" {
				values = nil
			} else if ok {
				values = append(values, value)
			}
		}
	}
	return strings.Join(values, " ")
}

// unitState is what `systemctl show` says of the unit.
type unitState map[string]string

// askSystemd asks systemd of the unit.
func askSystemd(ctx context.Context) (unitState, error) {
	out, err := exec.CommandContext(ctx, "systemctl", "show", unitName, "--no-pager",
		"--property=LoadState,UnitFileState,ActiveState,SubState,Result,NRestarts,MainPID,NeedDaemonReload").Output()
	if err != nil {
		return nil, fmt.Errorf("systemctl show %s: %w", unitName, err)
	}
	s := unitState{}
	for line := range strings.Lines(string(out)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		s[key] = value
	}
	return s, nil
}

// units looks at the service, and at the binary it runs.
func (v *visit) units(ctx context.Context) []checkup {
	const part = "unit"
	if !exists(filepath.Join(v.root, "run/systemd/system")) {
		return []checkup{{part, doubt, "systemd does not run here: nothing starts the agent, or starts it anew", "let something restart `gadeblik run` when it ends"}}
	}
	if v.unitFile() == "" {
		return []checkup{{part, doubt, unitName + " is not installed: the agent does not start by itself", "install the package, or copy systemd/" + unitName + " to /etc/systemd/system and `systemctl daemon-reload`"}}
	}
	s, err := askSystemd(ctx)
	if err != nil {
		return []checkup{{part, doubt, err.Error(), "`systemctl status gadeblik` says more"}}
	}
	lines := []checkup{v.judgeUnit(s)}
	if c, ok := v.binary(ctx); ok {
		lines = append(lines, c)
	}
	return lines
}

// restless is how many restarts are more than bad luck.
const restless = 5

func (k kernelFiles) judgeUnit(s unitState) checkup {
	const part, more = "unit", "`journalctl -u gadeblik -n 50` says why; mend what fails here, then `systemctl restart gadeblik`"
	says := fmt.Sprintf("%s is %s and %s (%s)", unitName, s["UnitFileState"], s["ActiveState"], s["SubState"])
	empty := k.emptyFolder()
	restarts, err := strconv.Atoi(s["NRestarts"])
	if err != nil {
		restarts = 0 // an old systemd does not count
	}
	switch {
	case s["LoadState"] == "masked":
		return checkup{part, ill, unitName + " is masked: it cannot be started", "`systemctl unmask gadeblik`"}
	case s["LoadState"] != "loaded":
		return checkup{part, ill, fmt.Sprintf("%s is installed, but systemd says %s", unitName, s["LoadState"]), "`systemctl daemon-reload`; `systemd-analyze verify " + unitName + "` names the mistake"}
	case s["ActiveState"] == "failed":
		return checkup{part, ill, fmt.Sprintf("%s has failed: %s", unitName, s["Result"]), more}
	case s["SubState"] == "auto-restart" || s["ActiveState"] == "active" && restarts > restless:
		return checkup{part, ill, fmt.Sprintf("%s starts again and again, %d times so far", unitName, restarts), more}
	case s["UnitFileState"] != "enabled":
		return checkup{part, doubt, says + ": it does not start with the computer", "`systemctl enable --now gadeblik`"}
	case s["ActiveState"] == "inactive" && empty != "":
		return checkup{part, doubt, says + ": nothing starts it while " + empty + " is empty", "put the public keys of those who give orders there, then `systemctl start gadeblik`"}
	case s["ActiveState"] != "active":
		return checkup{part, doubt, says, "`systemctl start gadeblik`"}
	case s["NeedDaemonReload"] == "yes":
		return checkup{part, doubt, says + ", but its file has changed since", "`systemctl daemon-reload && systemctl restart gadeblik`"}
	}
	if link, err := os.Readlink(filepath.Join(k.root, "proc", s["MainPID"], "exe")); err == nil && strings.HasSuffix(link, " (deleted)") {
		return checkup{part, doubt, says + ", with a binary that has been replaced since", "`systemctl restart gadeblik`"}
	}
	return checkup{part, healthy, says, ""}
}

// emptyFolder is one that the unit waits for something in, "" where it waits for none.
func (k kernelFiles) emptyFolder() string {
	for _, dir := range strings.Fields(k.unitSays("ConditionDirectoryNotEmpty")) {
		all, err := os.ReadDir(filepath.Join(k.root, dir))
		if errors.Is(err, fs.ErrNotExist) || err == nil && len(all) == 0 {
			return dir
		}
	}
	return ""
}

// binary compares the program of the unit with this one; not ok where they are the
// same file.
func (v *visit) binary(ctx context.Context) (checkup, bool) {
	const part = "binary"
	f := strings.Fields(v.unitSays("ExecStart"))
	if len(f) == 0 {
		return checkup{part, ill, unitName + " starts nothing: it has no ExecStart", "install the package anew"}, true
	}
	path := strings.TrimLeft(f[0], "-@:+!")
	theirs, err := os.Stat(filepath.Join(v.root, path))
	if errors.Is(err, fs.ErrNotExist) {
		return checkup{part, ill, unitName + " starts " + path + ", which is not there", "install the package, or correct ExecStart"}, true
	}
	if err != nil {
		return checkup{part, doubt, err.Error(), "ask again with sudo"}, true
	}
	if own, err := os.Executable(); err == nil {
		if ours, err := os.Stat(own); err == nil && os.SameFile(ours, theirs) {
			return checkup{}, false
		}
	}
	out, err := exec.CommandContext(ctx, filepath.Join(v.root, path), "version", "--json").Output()
	var b build
	if err == nil {
		err = json.NewDecoder(bytes.NewReader(out)).Decode(&b)
	}
	switch {
	case err != nil:
		return checkup{part, doubt, fmt.Sprintf("%s does not say its version: %v", path, err), "install the package anew"}, true
	case b.Version != version:
		return checkup{part, doubt, fmt.Sprintf("the service runs %s, version %s; this is version %s", path, b.Version, version), "ask with the one that runs: `" + path + " doctor`"}, true
	}
	return checkup{part, healthy, "the service runs the same version, " + version, ""}, true
}

// control says what a running agent says of itself, or whether one could open its
// control socket.
func (v *visit) control(context.Context) []checkup {
	const part = "switch"
	dir := filepath.Dir(v.cfg.Switch.Socket)
	if v.agent != nil {
		s, word := v.agent.Status, "off"
		if v.agent.Switch.On {
			word = "on"
		}
		says := fmt.Sprintf("an agent runs; the switch is %s; it is %s: %s", word, s.State, s.Reason)
		if s.State == "degraded" {
			return []checkup{{part, doubt, says, "mend what the reason names; `gadeblik switch status` says the same"}}
		}
		return []checkup{{part, healthy, says, ""}}
	}
	if strings.Contains(" "+v.unitSays("RuntimeDirectory")+" ", " "+strings.TrimPrefix(dir, "/run/")+" ") && !exists(filepath.Join(v.root, dir)) {
		return []checkup{{part, healthy, "no agent runs; the service makes " + dir + " with its control socket when it starts", ""}}
	}
	if st, err := os.Stat(dir); err != nil || !st.IsDir() {
		return []checkup{{part, doubt, "folder " + dir + " of the control socket is not there", "the service makes it (RuntimeDirectory=gadeblik); or set switch.socket"}}
	}
	return []checkup{{part, healthy, "no agent runs; its control socket would be " + v.cfg.Switch.Socket, ""}}
}
