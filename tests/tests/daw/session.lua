-- What the test lets Ardour do, in one process a step: its environment says which, and with what.
local step, folder = os.getenv("STEP"), os.getenv("FOLDER")
local rate, length = tonumber(os.getenv("RATE")), tonumber(os.getenv("LENGTH"))
local session

AudioEngine:set_backend("None (Dummy)", "", "")
AudioEngine:set_device_name("Silence")

-- A session with one stereo track into the master. Its sound is put in afterwards, into the session's file.
local function make()
  session = assert(create_session(folder .. "/session", "session", rate), "no session")
  session:new_audio_track(2, 2, nil, 1, "music", ARDOUR.PresentationInfo.max_order, ARDOUR.TrackMode.Normal, true)
  local from, to = session:route_by_name("music"):output(), session:master_out():input()
  for channel = 0, 1 do
    assert(from:audio(channel):connect(to:audio(channel):name()) == 0, "not connected")
  end
end

-- The plugin on the track, put there if it is not there yet, and its numbers by name.
local function plugin()
  local track = session:route_by_name("music")
  local processor = track:nth_plugin(0)
  if processor:isnil() then
    processor = ARDOUR.LuaAPI.new_plugin(session, "Idiom", ARDOUR.PluginType.VST3, "")
    assert(not processor:isnil(), "Ardour does not know Idiom")
    assert(track:add_processor_by_index(processor, 0, nil, true) == 0, "not inserted")
  end
  local plugin, numbers = processor:to_insert():plugin(0), {}
  for number = 0, plugin:parameter_count() - 1 do
    local _, about = plugin:get_parameter_descriptor(number, ARDOUR.ParameterDescriptor())
    numbers[about[2].label] = number
  end
  return processor, plugin, numbers
end

-- Chooses the preset PRESET and sets the parameters in SET ("name=value" a line).
local function mix()
  local processor, plugin, numbers = plugin()
  local preset = os.getenv("PRESET")
  if preset then
    local record = assert(plugin:preset_by_label(preset), "Ardour does not find the preset " .. preset)
    assert(plugin:load_preset(record), "the preset is not loaded")
    sleep(1)
  end
  for name, value in string.gmatch(os.getenv("SET") or "", "([^=\n]+)=([^\n]+)") do
    assert(numbers[name], "there is no parameter " .. name)
    assert(ARDOUR.LuaAPI.set_processor_param(processor, numbers[name], tonumber(value)), "not set: " .. name)
  end
  -- The plugin hears of it with the next block.
  sleep(1)
end

local function report()
  local processor, _, numbers = plugin()
  for name, number in pairs(numbers) do
    local value = ARDOUR.LuaAPI.get_processor_param(processor, number, true)
    print("PARAMETER=" .. name .. "=" .. value)
  end
end

local function export()
  local export = session:simple_export()
  assert(export:set_preset(os.getenv("EXPORT_PRESET")), "no export preset")
  export:set_name(step)
  export:set_folder(folder)
  export:set_range(0, length)
  assert(export:run_export(), "not exported")
end

if step == "make" then
  make()
else
  session = assert(load_session(folder .. "/session", "session"), "the session does not open")
  mix()
  report()
end
session:save_state("")
if step ~= "make" then
  export()
end
close_session()
print("DONE")
quit()
